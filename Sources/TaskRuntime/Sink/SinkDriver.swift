import Columnar
import Dataflow

/// The end of a chain that writes: hands rows to the writer, keeps its time, and remembers what must be committed.
///
/// Committables stay in every snapshot until a checkpoint that held them is complete: when one is aborted, the next carries its
/// files too. Committing twice does no harm.
final class SinkDriver: Output {
    let name: String
    let uid: String
    private let writer: any SinkWriter
    private let place: ErrorPlace
    /// The time of the step that is being carried out.
    var now = Now(instant: .zero, wallMilliseconds: 0)
    private(set) var rows: Int64 = 0
    private(set) var batches: Int64 = 0
    private(set) var bytes: Int64 = 0
    private var pending: [(checkpoint: CheckpointID, prepared: PreparedCommit)] = []
    /// When the writer wants to be called; nil: not before the next row.
    private(set) var nextTick: Instant? = .zero

    private let faults: Set<SeededFault>

    init(_ sink: TaskChain.Sink, place: ErrorPlace, faults: Set<SeededFault> = []) {
        self.faults = faults
        name = sink.name
        uid = sink.uid
        writer = sink.writer
        self.place = place
    }

    func emit(_ batch: Batch) throws(StreamError) {
        guard batch.count > 0 else { return }
        rows += Int64(batch.count)
        batches += 1
        bytes += Int64(batch.byteCount)
        do throws(StreamError) { try writer.write(batch, at: now) } catch {
            place.note(name)
            throw error
        }
        // A row may have opened a file that must be closed some time.
        if nextTick == nil { nextTick = now.instant }
    }

    func emitWatermark(_ milliseconds: Int64) throws(StreamError) { writer.advance(to: milliseconds) }

    /// Calls the writer when its time has come.
    func tick() throws(StreamError) {
        guard let due = nextTick, due <= now.instant else { return }
        do throws(StreamError) { nextTick = try writer.tick(at: now) } catch {
            place.note(name)
            throw error
        }
    }

    func prepareCommit(_ barrier: Barrier, isLast: Bool) throws(StreamError) -> SinkSnapshot {
        do throws(StreamError) {
            let prepared = barrier.kind.isSavepoint && !isLast
                ? try writer.prepareSavepoint(barrier.checkpoint, at: now) : try writer.prepareCommit(barrier.checkpoint, isLast: isLast, at: now)
            if faults.contains(.abortedFilesForgotten) { pending = [] }
            defer { pending.append((barrier.checkpoint, prepared.withoutUnit)) }
            return SinkSnapshot(uid: uid, prepared: pending.map(\.prepared) + [prepared])
        } catch {
            place.note(name)
            throw error
        }
    }

    var heldBytes: Int { writer.heldBytes }

    func completed(_ checkpoint: CheckpointID) { pending.removeAll { $0.checkpoint <= checkpoint } }

    func close() { writer.close() }
}

import Columnar
import Dataflow

/// Reads the splits that it was given in turn, a batch of one burst at a time, when the rows are there. It begins them in the order of their
/// numbers, as a reader must that does not say `readsSideBySide`.
final class SimulatedReader: SourceReader {
    private struct Open {
        var state: SplitState
        let number: Int
        var next: Int
    }

    private let input: SimulatedInput
    private let world: ConnectorWorld
    private let clock: HostClock
    private var open: [Open] = []
    private var turn = 0

    init(input: SimulatedInput, world: ConnectorWorld, clock: HostClock) {
        self.input = input
        self.world = world
        self.clock = clock
    }

    func add(_ splits: [SplitState]) throws(StreamError) {
        for state in splits {
            guard let number = input.split(named: state.split.id) else {
                throw StreamError(.internal, retry: false, "split \(state.split.id) is not of table \(input.name)")
            }
            open.append(Open(state: state, number: number, next: SimulatedInput.index(at: state.position)))
        }
    }

    func poll(maximumRows: Int, at now: Now) throws(StreamError) -> SourcePoll {
        if world.takeReaderFailure() { throw StreamError(.externalSystem, retry: true, "the reader lost its connection") }
        guard !open.isEmpty else { return .needsSplits }
        let time = clock.time(of: now.instant)
        var soonest = Duration.seconds(Int64.max / 4_000_000_000)
        for offset in open.indices {
            let place = (turn + offset) % open.count
            let split = open[place]
            if split.next == input.rowsPerSplit {
                open.remove(at: place)
                return .splitFinished(split.state.split.id)
            }
            if split.next == 0, open.contains(where: { $0.next == 0 && $0.number < split.number }) { continue }
            let available = input.available(split.number, split.next)
            guard available <= time else {
                soonest = min(soonest, available)
                continue
            }
            let end = min(input.rowsPerSplit, (split.next / input.burst + 1) * input.burst, split.next + min(maximumRows, input.batchRows))
            turn = place + 1
            world.read(split.state.split.id, split.next..<end)
            open[place].next = end
            return .batch(batch(split.number, split.next..<end), split: split.state.split.id)
        }
        return .nothing(until: clock.now(at: soonest).instant)
    }

    func snapshot() throws(StreamError) -> [SplitState] {
        open.map { SplitState(split: $0.state.split, position: SimulatedInput.position($0.next), watermark: $0.state.watermark) }
    }

    func close() {}

    private func batch(_ split: Int, _ rows: Range<Int>) -> Batch {
        var key = ColumnBuilder(type: SimulatedInput.schema.types[0], capacity: rows.count)
        var id = ColumnBuilder(type: SimulatedInput.schema.types[1], capacity: rows.count)
        var value = ColumnBuilder(type: SimulatedInput.schema.types[2], capacity: rows.count)
        var time = ColumnBuilder(type: SimulatedInput.schema.types[3], capacity: rows.count)
        for index in rows {
            let row = input.row(split, index)
            SimulatedInput.keyText(row.key).withUnsafeBufferPointer { key.appendBytes($0) }
            id.appendFixed(row.id)
            value.appendFixed(row.value)
            time.appendFixed(row.time)
        }
        return Batch(count: rows.count, columns: [key.finish(), id.finish(), value.finish(), time.finish()])
    }
}

/// The table's source: splits that appear over time, and readers that wait for their rows.
struct SimulatedSource: Source {
    let input: SimulatedInput
    let world: ConnectorWorld
    let clock: HostClock
    /// Cluster time of the call, for `discover`.
    let time: Duration

    var discoveryInterval: Duration? { .seconds(5) }

    func discover(known: Set<String>) throws(StreamError) -> (splits: [Split], isComplete: Bool) {
        let there = (0..<input.splits).filter { input.appears[$0] <= time }
        let new = there.map { Split(id: input.splitID($0), label: input.splitID($0), payload: []) }.filter { !known.contains($0.id) }
        return (new, there.count == input.splits)
    }

    func makeReader(_ context: ReaderContext) throws(StreamError) -> any SourceReader {
        SimulatedReader(input: input, world: world, clock: clock)
    }
}

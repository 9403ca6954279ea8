import Columnar
import Dataflow
import Wire

/// An operator in its place: what comes to it, it handles; what leaves it goes to the next.
final class ChainLink: Output {
    let name: String
    let uid: String
    let op: any Operator
    private(set) var rowsIn: Int64 = 0
    private let next: any Output
    private let place: ErrorPlace

    init(_ link: TaskChain.Link, next: any Output, place: ErrorPlace) {
        self.name = link.name
        self.uid = link.uid
        self.op = link.op
        self.next = next
        self.place = place
    }

    func emit(_ batch: Batch) throws(StreamError) {
        rowsIn += Int64(batch.count)
        do throws(StreamError) { try op.process(batch, to: next) } catch {
            place.note(name)
            throw error
        }
    }

    func emitWatermark(_ milliseconds: Int64) throws(StreamError) {
        do throws(StreamError) { try op.advance(to: milliseconds, to: next) } catch {
            place.note(name)
            throw error
        }
    }

    func flush() throws(StreamError) {
        do throws(StreamError) { try op.flush(to: next) } catch {
            place.note(name)
            throw error
        }
    }

    func restore(_ state: TaskRestore.OperatorState?) throws(StreamError) {
        guard let state, !state.segments.isEmpty else { return }
        do throws(StreamError) { try op.restore(state) } catch {
            place.note(name)
            throw error
        }
    }

    func own(_ groups: [Int], adding state: TaskRestore.OperatorState?) throws(StreamError) {
        do throws(StreamError) { try op.own(groups, adding: state?.segments ?? []) } catch {
            place.note(name)
            throw error
        }
    }

    func snapshot() throws(StreamError) -> OperatorSnapshot {
        do throws(StreamError) { return try op.snapshot() } catch {
            place.note(name)
            throw error
        }
    }
}

/// The operators of a task, connected: each hands its results to the next, the last one to the sink or the output partitions.
final class OperatorChain {
    let links: [ChainLink]
    /// Where rows and watermarks enter.
    let head: any Output

    init(_ operators: [TaskChain.Link], tail: any Output, place: ErrorPlace) {
        var links: [ChainLink] = []
        var next = tail
        for link in operators.reversed() {
            let made = ChainLink(link, next: next, place: place)
            links.append(made)
            next = made
        }
        self.links = links.reversed()
        self.head = next
    }

    /// In chain order, so that what one gives out late the next ones take in before they are asked.
    func flush() throws(StreamError) {
        for link in links { try link.flush() }
    }

    func snapshot() throws(StreamError) -> [OperatorSnapshot] {
        var snapshots: [OperatorSnapshot] = []
        snapshots.reserveCapacity(links.count)
        for link in links { snapshots.append(try link.snapshot()) }
        return snapshots
    }

    var stateBytes: Int {
        var total = 0
        for link in links { total += link.op.stateBytes }
        return total
    }

    var lateRows: Int {
        var total = 0
        for link in links { total += link.op.lateRows }
        return total
    }

    /// Of each operator. `left`: rows that left the chain.
    func metrics(left: Int64) -> [OperatorMetrics] {
        links.indices.map { index in
            let link = links[index]
            return OperatorMetrics(
                rowsIn: link.rowsIn, rowsOut: index + 1 < links.count ? links[index + 1].rowsIn : left, lateRows: Int64(link.op.lateRows),
                stateBytes: Int64(link.op.stateBytes))
        }
    }

    /// The operator that holds most.
    var largest: ChainLink? { links.max { $0.op.stateBytes < $1.op.stateBytes } }
}

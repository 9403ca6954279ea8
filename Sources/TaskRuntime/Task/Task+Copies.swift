import Columnar
import Dataflow
import Wire

/// State that comes ahead of a planned change's barrier: it is taken in a piece at a time, between the task's own rows.
struct Copies {
    private var arrivals = Arrivals()
    /// The change that they belong to, until all have been taken in.
    private(set) var layout: LayoutEpoch?
    private var isTaken = false
    private var waiting: [(uid: String, segment: StateSegment)] = []
    /// Operators whose state is copied ahead; of the others all of it comes at the barrier.
    private(set) var uids: Set<String> = []

    mutating func expect(_ tasks: Set<TaskID>, layout: LayoutEpoch) {
        arrivals.expect(tasks, layout: layout)
        self.layout = tasks.isEmpty ? nil : layout
        isTaken = false
        waiting = []
        uids = []
    }

    /// The change is dropped. Answers the operators that have taken in something of it.
    mutating func withdraw(_ layout: LayoutEpoch) -> Set<String> {
        defer {
            arrivals.withdraw(layout)
            self.layout = nil
            waiting = []
            uids = []
        }
        return uids
    }

    mutating func receive(_ parcel: StateParcel) throws(StreamError) { try arrivals.receive(parcel) }

    var heldBytes: Int { arrivals.heldBytes + waiting.reduce(0) { $0 + $1.segment.bytes.count } }

    /// Something can be done now.
    var isReady: Bool { layout != nil && (isTaken || arrivals.isComplete) }

    /// The next piece; nil: all of them are in.
    mutating func next() throws(StreamError) -> (uid: String, segment: StateSegment)? {
        if !isTaken {
            isTaken = true
            let state = try arrivals.take()
            uids = Set(state.operators.map(\.uid))
            waiting = state.operators.flatMap { of in of.segments.map { (of.uid, $0) } }.reversed()
        }
        if let piece = waiting.popLast() { return piece }
        layout = nil
        return nil
    }
}

// Copies ahead of a planned change (docs/protocols.md 6).
extension Task {
    /// All channels are open: whoever gives key groups away sends what it has of them now. At the barrier only what has changed since follows.
    func copyAhead(_ layout: LayoutEpoch) throws(StreamError) {
        guard let next, next.layout == layout, !next.departures.isEmpty, copied == nil else { return }
        var copies: [OperatorSnapshot] = []
        for link in chain.links {
            if let state = try link.op.copyAhead() { copies.append(OperatorSnapshot(uid: link.uid, keyed: state)) }
        }
        copied = Set(copies.map(\.uid))
        for departure in next.departures { outbox.effects.append(.handOver(copies, departure, layout: layout, isAhead: true)) }
    }

    /// One piece of what was copied to this task.
    func attachNext() throws(StreamError) {
        guard let layout = copies.layout else { return }
        guard let (uid, segment) = try copies.next() else { return outbox.effects.append(.copied(layout)) }
        guard let link = chain.links.first(where: { $0.uid == uid }) else { return }
        try link.op.attach([segment])
    }

    /// What is owed to new owners at the barrier of a change.
    func owed(_ snapshot: TaskSnapshot) throws(StreamError) -> [OperatorSnapshot] {
        let keyed = snapshot.operators.filter { $0.keyed != nil }
        guard let copied else { return keyed }
        self.copied = nil
        var owed: [OperatorSnapshot] = []
        for link in chain.links {
            if copied.contains(link.uid) {
                let changes = try link.op.changesSinceCopy()
                if !faults.contains(.changesSinceCopyForgotten) { owed.append(OperatorSnapshot(uid: link.uid, keyed: changes)) }
            } else {
                owed += keyed.filter { $0.uid == link.uid }
            }
        }
        return owed
    }
}

import Columnar
import Dataflow
import Wire

// A planned change of the layout, as one task sees it (docs/protocols.md 6).
extension Task {
    /// Of the newest layout that this task has begun; 0: the one it was made with.
    var layout: LayoutEpoch { begunLayout }

    /// Before it runs: the task begins with a planned change, and takes nothing before its state has come.
    package func begin(with change: TaskChange) {
        precondition(phase == .created, "a task begins once")
        begunLayout = change.layout
        settling = change.layout
        isBeginning = true
        arrivals.expect(change.arrivals, layout: change.layout)
        copies.expect(change.arrivals, layout: change.layout)
        if change.movesSplits { source?.awaitSplits() }
    }

    func prepare(_ change: TaskChange) {
        guard change.layout > begunLayout else { return }
        next = change
        copies.expect(change.arrivals, layout: change.layout)
        if let plan = change.plan { gate.open(plan.inputs, capacity: channelCapacity) }
    }

    /// The change is dropped: the layout that holds goes on as if nobody had told of another.
    func withdraw(_ layout: LayoutEpoch) throws(StreamError) {
        // What is still on its way here from others means nothing.
        arrivals.withdraw(layout)
        let attached = copies.withdraw(layout)
        guard next?.layout == layout else { return }
        next = nil
        gate.closeOpened()
        if let copied, !faults.contains(.droppedCopiesKept) {
            self.copied = nil
            for link in chain.links where copied.contains(link.uid) { _ = try link.op.changesSinceCopy() }
        }
        for link in chain.links where attached.contains(link.uid) { try link.own(plan.groups, adding: nil) }
    }

    /// The change that a barrier brings, if it brings one.
    func change(for barrier: Barrier) throws(StreamError) -> TaskChange? {
        guard let layout = barrier.layout else { return nil }
        guard let next, next.layout == layout else {
            throw StreamError(.internal, retry: true, "barrier \(barrier.checkpoint) begins layout \(layout), of which this task was not told")
        }
        self.next = nil
        return next
    }

    /// All rows before the barrier are done with, the snapshot is taken and the barrier is on its way: the next layout holds.
    func begin(_ change: TaskChange, after barrier: Barrier, with snapshot: TaskSnapshot) throws(StreamError) {
        begunLayout = change.layout
        let owed = try owed(snapshot)
        for departure in change.departures { outbox.effects.append(.handOver(owed, departure, layout: change.layout, isAhead: false)) }
        guard let plan = change.plan else {
            // Receivers know from the layout that nothing follows; what is still queued goes out as credit comes.
            gate.unblock(Array(gate.channels.indices))
            outbox.effects.append(.settled(change.layout))
            return
        }
        // A checkpoint before this one was to be the last, and was given up.
        isStopped = false
        source?.share(rateOf: plan.parallelism, before: self.plan.parallelism)
        self.plan = plan
        outputs.change(to: plan.outputs)
        gate.change(to: plan.inputs)
        aligner = Task.aligner(channels: gate.channels.count, floor: barrier.checkpoint, faults: faults)
        merger.change(channels: gate.channels.count)
        endedChannels = 0
        if change.movesSplits, !faults.contains(source == nil ? .followersDeclareAsBefore : .movedSplitsUnawaited) {
            hasEnded = false
            merger.restate()
            outputs.declare(Watermark.minimum)
            source?.awaitSplits()
        } else {
            outputs.declareWatermark()
            if let source, source.isIdle { outputs.send(.idle) }
            if hasEnded { outputs.send(.end) }
        }
        settling = change.layout
        arrivals.expect(change.arrivals, layout: change.layout)
    }

    /// Everything that the layout brings has come.
    func settle(_ layout: LayoutEpoch) throws(StreamError) {
        settling = nil
        let state = faults.contains(.movedStateForgotten) ? TaskRestore() : try arrivals.take()
        if isBeginning {
            isBeginning = false
            for link in chain.links {
                let state = state.state(of: link.uid)
                if copies.uids.contains(link.uid) { try link.own(plan.groups, adding: state) } else { try link.restore(state) }
            }
        } else {
            for link in chain.links { try link.own(plan.groups, adding: state.state(of: link.uid)) }
        }
        outbox.effects.append(.settled(layout))
    }
}

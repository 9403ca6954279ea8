import Columnar
import Dataflow
import Wire

/// One subtask at work: takes elements from its channels (or polls its source), runs them through its chain, and sends what comes
/// out. A pure machine; one thread owns it.
///
/// `handle` only notes what came. `step` does one piece of work: one element, one poll, one barrier. Whatever a command may have
/// changed, step again after it.
package final class Task {
    enum Phase { case created, running, failed, closed }

    /// What a source is told in order: splits that came before a trigger belong to its checkpoint.
    private enum SourceOrder {
        case splits([SplitState], noMore: Bool, released: [String])
        case trigger(Barrier)
    }

    package internal(set) var plan: TaskPlan
    let channelCapacity: Int
    private let budget: MemoryBudget
    let faults: Set<SeededFault>
    let outbox = Outbox()
    private let place = ErrorPlace()
    private let clock: TaskClock
    let outputs: OutputPartitioner
    let sink: SinkDriver?
    let source: SourceDriver?
    let chain: OperatorChain
    var phase = Phase.created
    var gate: InputGate
    var aligner: BarrierAligner
    var merger: WatermarkMerger
    var endedChannels = 0
    private var orders = RingQueue<SourceOrder>(capacity: 4)
    /// Of a source: the newest barrier it has injected.
    private var lastInjected: CheckpointID = 0
    private var aborted: Set<CheckpointID> = []
    var hasEnded = false
    /// For `SeededFault.sourceOneSnapshotBehind`.
    private var lastSplits: [SplitState] = []
    /// The barrier after which no row follows has passed.
    var isStopped = false
    /// A planned change that waits for its barrier.
    var next: TaskChange?
    var begunLayout: LayoutEpoch = 0
    /// The layout that has begun here and whose state has not come; nothing is taken until it has.
    var settling: LayoutEpoch?
    /// The task began with that layout: it holds nothing yet.
    var isBeginning = false
    var arrivals = Arrivals()
    var copies = Copies()
    /// Operators of which this task has copied state ahead to new owners; nil: it was not asked to.
    var copied: Set<String>?
    private var rowsIn: Int64 = 0
    private var batchesIn: Int64 = 0
    private var bytesIn: Int64 = 0
    /// What the budget was told of.
    private var share = 0

    package init(plan: TaskPlan, chain parts: TaskChain, options: TaskOptions, budget: MemoryBudget = .unlimited) {
        precondition(parts.source == nil || plan.inputs.isEmpty, "a source reads from no edge")
        self.plan = plan
        channelCapacity = options.channelCapacity
        self.budget = budget
        faults = options.faults
        arrivals.takesEarly = options.faults.contains(.stateTakenEarly)
        clock = parts.clock
        outputs = OutputPartitioner(
            plan.outputs, capacity: options.channelCapacity, batchBytes: options.batchBytes, outbox: outbox, faults: faults)
        sink = parts.sink.map { [place] in SinkDriver($0, place: place, faults: options.faults) }
        chain = OperatorChain(parts.operators, tail: sink ?? outputs, place: place)
        source = parts.source.map { [chain, outputs, outbox, place] in
            SourceDriver($0, batchRows: options.batchRows, batchBytes: options.batchBytes, chain: chain, outputs: outputs, outbox: outbox, place: place)
        }
        gate = InputGate(plan.inputs, capacity: options.channelCapacity)
        let channels = plan.inputs.reduce(0) { $0 + $1.channels.count }
        aligner = Task.aligner(channels: channels, faults: faults)
        merger = WatermarkMerger(channels: channels, takesGreatest: faults.contains(.mergerTakesTheGreatest))
        budget.join()
    }

    static func aligner(channels: Int, floor: CheckpointID = 0, faults: Set<SeededFault>) -> BarrierAligner {
        BarrierAligner(channels: faults.contains(.alignerIgnoresAChannel) ? max(channels - 1, min(channels, 1)) : channels, floor: floor)
    }

    // MARK: Commands

    package func handle(_ command: TaskCommand, at now: Now, into effects: inout [TaskEffect]) {
        guard phase == .created || phase == .running else { return }
        swap(&effects, &outbox.effects)
        do throws(StreamError) {
            switch command {
            case .start: phase = .running
            case .element(let channel, let sequence, let element): try gate.receive(channel, sequence: sequence, element)
            case .credit(let channel, let batches): try outputs.add(credits: Int(batches), to: channel)
            case .trigger(let barrier): if source != nil { orders.append(.trigger(barrier)) }
            case .splits(let splits, let noMore, let released):
                if source != nil { orders.append(.splits(splits, noMore: noMore, released: released)) }
            case .completed(let checkpoint):
                source?.completed(checkpoint)
                sink?.completed(checkpoint)
                aborted = aborted.filter { $0 > checkpoint }
            case .aborted(let checkpoint):
                if source != nil, checkpoint > lastInjected { aborted.insert(checkpoint) }
                gate.unblock(aligner.abort(checkpoint))
            case .prepare(let change): prepare(change)
            case .copyAhead(let layout): try copyAhead(layout)
            case .withdraw(let layout): try withdraw(layout)
            case .state(let parcel): if parcel.isAhead { try copies.receive(parcel) } else { try arrivals.receive(parcel) }
            }
        } catch {
            fail(error)
        }
        swap(&effects, &outbox.effects)
    }

    // MARK: Steps

    package func step(at now: Now, into effects: inout [TaskEffect]) -> StepResult {
        guard phase == .running else { return .stopped }
        swap(&effects, &outbox.effects)
        sink?.now = now
        clock.now = now
        var result = StepResult.stopped
        do throws(StreamError) {
            try sink?.tick()
            result = try work(at: now)
            if copies.isReady {
                try attachNext()
                result = .worked
            }
            try keepWithinBudget()
        } catch {
            result = .stopped
            fail(error)
        }
        swap(&effects, &outbox.effects)
        return result
    }

    private func work(at now: Now) throws(StreamError) -> StepResult {
        if let layout = settling {
            guard arrivals.isComplete else { return rest(until: nil) }
            try settle(layout)
            return .worked
        }
        if let order = orders.popFirst() {
            try carryOut(order, at: now)
            return .worked
        }
        // Queued rows go first; a blocked channel of one output holds up all, which is what bounds memory.
        if outputs.isBlocked {
            source?.hold(at: now)
            return .backpressured(wake: sink?.nextTick)
        }
        if let source { return try read(source, at: now) }
        guard let (position, element) = gate.take() else { return rest(until: nil) }
        let layout = layout
        try take(element, from: position, at: now)
        // With another layout the channels have other places, and stand in line already.
        if layout == self.layout { gate.done(position) }
        return .worked
    }

    private func rest(until wake: Instant?) -> StepResult {
        if isStopped { return .stopped }
        guard let tick = sink?.nextTick else { return .idle(wake: wake) }
        return .idle(wake: wake.map { min($0, tick) } ?? tick)
    }

    private func take(_ element: StreamElement, from position: Int, at now: Now) throws(StreamError) {
        switch element {
        case .batch(let batch):
            let bytes = batch.byteCount
            if let credits = gate.consumed(position, bytes: bytes) {
                outbox.effects.append(.credit(gate.channels[position].id, batches: UInt32(credits)))
                if faults.contains(.creditsGrantedTwice) {
                    outbox.effects.append(.credit(gate.channels[position].id, batches: UInt32(credits)))
                }
            }
            rowsIn += Int64(batch.count)
            batchesIn += 1
            bytesIn += Int64(bytes)
            try apply(merger.batch(on: position))
            try chain.head.emit(batch)
        case .watermark(let milliseconds): try apply(merger.watermark(milliseconds, on: position))
        case .idle: try apply(merger.idle(on: position))
        case .active: try apply(merger.active(on: position))
        case .barrier(let barrier):
            switch aligner.receive(barrier, from: position, at: now.instant) {
            case .late: break
            case .waits(let released):
                gate.unblock(released)
                if !faults.contains(.alignerDoesNotBlock) { gate.block(position) }
            case .aligned(let since, let released):
                let layout = layout
                try pass(barrier, alignedSince: since, at: now)
                if layout == self.layout { gate.unblock(released) }
            }
        case .end:
            endedChannels += 1
            try apply(merger.end(of: position))
            if endedChannels == gate.channels.count { try end() }
        }
    }

    private func apply(_ change: WatermarkMerger.Change) throws(StreamError) {
        if change.becameActive { outputs.send(.active) }
        if let watermark = change.watermark { try chain.head.emitWatermark(watermark) }
        if change.becameIdle {
            // Rows that operators hold back for efficiency must not be overtaken by others' watermarks.
            try chain.flush()
            outputs.send(.idle)
        }
    }

    // MARK: Sources

    private func carryOut(_ order: SourceOrder, at now: Now) throws(StreamError) {
        guard let source else { return }
        switch order {
        case .splits(let splits, let noMore, let released): try source.add(splits, noMore: noMore, released: released, at: now)
        case .trigger(let barrier):
            // Repeated, older than what was injected, or aborted before its turn came.
            guard barrier.checkpoint > lastInjected, !aborted.contains(barrier.checkpoint) else { return }
            lastInjected = barrier.checkpoint
            aborted = aborted.filter { $0 > lastInjected }
            if barrier.kind == .drain, !hasEnded {
                try chain.head.emitWatermark(Watermark.maximum)
                try end()
            }
            try pass(barrier, alignedSince: now.instant, at: now)
        }
    }

    private func read(_ source: SourceDriver, at now: Now) throws(StreamError) -> StepResult {
        if hasEnded || isStopped { return rest(until: nil) }
        switch try source.poll(at: now) {
        case .worked: return .worked
        case .waiting(let until): return rest(until: until)
        case .finished:
            if source.isIdle { outputs.send(.active) }
            try chain.head.emitWatermark(Watermark.maximum)
            try end()
            return .worked
        }
    }

    // MARK: Barriers and the end

    /// The snapshot of a checkpoint, then its barrier, behind all rows that belong to it.
    private func pass(_ barrier: Barrier, alignedSince since: Instant, at now: Now) throws(StreamError) {
        let change = try self.change(for: barrier)
        let retires = change.map { $0.plan == nil } ?? false
        let isLast = barrier.kind == .final || barrier.kind == .stop || barrier.kind == .drain || retires
        if let source, !source.isAwaitingSplits, !hasEnded { try source.passWatermark() }
        try chain.flush()
        var snapshot = TaskSnapshot(subtask: plan.task.subtask, alignmentMilliseconds: (now.instant - since).milliseconds, taken: now.instant)
        snapshot.operators = try chain.snapshot()
        if let source { (snapshot.splits, snapshot.finishedSplits) = try source.snapshot(barrier.checkpoint) }
        if faults.contains(.sourceOneSnapshotBehind) { swap(&snapshot.splits, &lastSplits) }
        if faults.contains(.finishedSplitsDroppedEarly) { snapshot.finishedSplits = [] }
        snapshot.sink = try sink?.prepareCommit(barrier, isLast: isLast)
        if retires, faults.contains(.retiredFilesForgotten) { snapshot.sink = nil }
        outbox.effects.append(.snapshot(barrier.checkpoint, snapshot))
        outputs.send(.barrier(barrier))
        if isLast { isStopped = true }
        if let change { try begin(change, after: barrier, with: snapshot) }
    }

    func end() throws(StreamError) {
        guard !hasEnded else { return }
        hasEnded = true
        try chain.flush()
        outputs.send(.end)
        outbox.effects.append(.ended)
    }

    // MARK: Memory and failure

    private func keepWithinBudget() throws(StreamError) {
        let state = chain.stateBytes
        let waiting = gate.queuedBytes + outputs.queuedBytes + arrivals.heldBytes + copies.heldBytes
        let unwritten = sink?.heldBytes ?? 0
        guard state + waiting + unwritten != share || budget.isAlarmed else { return }
        let old = share
        share = state + waiting + unwritten
        let isOver = budget.change(from: old, to: share)
        let alarm = budget.takeAlarm(holding: share)
        guard isOver || alarm != nil else { return }
        let largest = chain.largest
        var words = "memory is used up: "
        if let largest, largest.op.stateBytes > 0 {
            words += "operator \(largest.name) holds \(largest.op.stateBytes) bytes of state"
            if let group = largest.op.largestKeyGroup { words += ", most of it in key group \(group)" }
            words += "; "
        }
        if unwritten > 0 { words += "\(unwritten) bytes wait in the sink to be written; " }
        words += "\(waiting) bytes of batches wait; all tasks here hold \(budget.held) of \(budget.limit) bytes, "
        words += alarm.map { "the process has \($0) bytes in all, more than taskmanager.memory.process.size" }
            ?? "their share of taskmanager.memory.process.size"
        throw StreamError(.memory, retry: false, words)
    }

    private func fail(_ error: StreamError) {
        guard phase != .failed else { return }
        phase = .failed
        outbox.effects.append(.failed(place.name.map { error.during($0) } ?? error))
        gate.clear()
        outputs.clear()
        orders.removeAll()
    }

    /// The task is taken off its thread: readers and writers let go of what they hold.
    package func close() {
        guard phase != .closed else { return }
        phase = .closed
        source?.close()
        sink?.close()
        budget.leave(holding: share)
        gate.clear()
        outputs.clear()
    }

    // MARK: What is seen from outside

    /// Rows, batches and bytes; the times are the host's.
    package var metrics: TaskMetrics {
        var metrics = TaskMetrics(task: plan.task)
        metrics.rowsIn = source?.rows ?? rowsIn
        metrics.batchesIn = batchesIn
        metrics.bytesIn = bytesIn
        metrics.rowsOut = sink?.rows ?? outputs.rows
        metrics.batchesOut = sink?.batches ?? outputs.batches
        metrics.bytesOut = sink?.bytes ?? outputs.bytes
        metrics.lateRows = Int64(chain.lateRows)
        metrics.skippedRows = Int64(source?.skippedRows ?? 0)
        metrics.stateBytes = Int64(chain.stateBytes)
        metrics.watermark = source?.watermark ?? merger.combined
        if let source { metrics.operators.append(OperatorMetrics(rowsIn: source.rows, rowsOut: source.rows)) }
        metrics.operators += chain.metrics(left: sink?.rows ?? outputs.rowsIn)
        if let sink { metrics.operators.append(OperatorMetrics(rowsIn: sink.rows, rowsOut: sink.rows)) }
        for (name, value) in source?.gauges ?? [] {
            switch name {
            case SourceGauge.pendingRows: metrics.pendingRows = value
            case SourceGauge.lagMilliseconds: metrics.lagMilliseconds = value
            default: metrics.gauges[name] = value
            }
        }
        return metrics
    }

    /// Rows of each key group that the task owns, ascending; empty where it keeps no state by key.
    package var keyGroupLoads: [KeyGroupLoad] {
        for link in chain.links {
            let loads = link.op.keyGroupLoads
            if !loads.isEmpty { return loads }
        }
        return []
    }

    /// Bytes of batches that wait at the inputs and the outputs.
    package var queuedBytes: Int { gate.queuedBytes + outputs.queuedBytes }

    package func checkInvariants() {
        guard phase == .created || phase == .running else { return }
        gate.checkInvariants()
        outputs.checkInvariants()
        aligner.checkInvariants()
        precondition(gate.blocks(exactly: aligner.waiting), "exactly the channels that delivered a pending barrier wait")
        precondition(endedChannels <= gate.channels.count, "a channel ends once")
    }
}

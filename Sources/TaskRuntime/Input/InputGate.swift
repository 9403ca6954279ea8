import Columnar
import Dataflow

/// One channel into a task: what has arrived on it and not been looked at.
struct InputChannel {
    let id: ChannelID
    var queue = RingQueue<StreamElement>()
    var credits: CreditLedger
    var nextSequence: UInt64 = 0
    /// It has delivered a barrier that others have not: nothing is taken from it until they have.
    var isBlocked = false
    /// It stands in the gate's line of channels that have something to take.
    var isInLine = false

    /// Bytes of the batches that wait, once its invariants are checked.
    fileprivate var checkedBytes: Int {
        credits.checkInvariants()
        var (batches, bytes) = (0, 0)
        queue.forEach { if case .batch(let batch) = $0 { batches += 1; bytes += batch.byteCount } }
        precondition(batches == credits.queued, "the ledger counts what is queued")
        return bytes
    }
}

/// Every channel of every input of a task. Takes from them in turn, one element each.
///
/// Channels are named by their position over all inputs, in the plan's order.
package struct InputGate {
    private(set) var channels: [InputChannel] = []
    /// For each edge its first channel's position; edges are few.
    private var starts: [(edge: UInt16, first: Int, count: Int)] = []
    private var line: RingQueue<Int>
    /// Bytes of the batches that wait.
    private(set) var queuedBytes = 0

    package init(_ inputs: [TaskPlan.Input], capacity: Int) {
        for input in inputs {
            starts.append((UInt16(input.edge), channels.count, input.channels.count))
            for channel in input.channels { channels.append(InputChannel(id: channel, credits: CreditLedger(capacity: capacity))) }
        }
        line = RingQueue(capacity: channels.count)
    }

    /// Nil: the channel is not of this task, or of another attempt.
    func position(of id: ChannelID) -> Int? {
        for start in starts where start.edge == id.edge {
            // Senders are numbered from 0 without gaps, except on forward edges, which have one channel.
            let guess = start.count == 1 ? start.first : start.first + Int(id.from)
            if guess < start.first + start.count, channels[guess].id == id { return guess }
            return channels[start.first..<start.first + start.count].firstIndex { $0.id == id }
        }
        return nil
    }

    // MARK: Planned changes

    /// Channels of the next layout that are not there yet: what comes on them waits.
    private var opened: [InputChannel] = []

    /// Opens the channels that `inputs` has and this gate has not.
    mutating func open(_ inputs: [TaskPlan.Input], capacity: Int) {
        for channel in inputs.flatMap(\.channels) where position(of: channel) == nil && !opened.contains(where: { $0.id == channel }) {
            opened.append(InputChannel(id: channel, credits: CreditLedger(capacity: capacity)))
        }
    }

    /// The change that they were opened for is dropped.
    mutating func closeOpened() {
        for channel in opened { channel.queue.forEach { if case .batch(let batch) = $0 { queuedBytes -= batch.byteCount } } }
        opened = []
    }

    /// From here on the gate has these channels: those that stay go on as they are, those that were opened begin, the others are gone.
    mutating func change(to inputs: [TaskPlan.Input]) {
        let all = Dictionary((channels + opened).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        channels = []
        opened = []
        starts = []
        line.removeAll()
        for input in inputs {
            starts.append((UInt16(input.edge), channels.count, input.channels.count))
            for id in input.channels {
                guard var channel = all[id] else { preconditionFailure("channel \(id) was opened before the barrier") }
                channel.isBlocked = false
                channel.isInLine = false
                channels.append(channel)
            }
        }
        for position in channels.indices { standInLine(position) }
        queuedBytes = 0
        for channel in channels { channel.queue.forEach { if case .batch(let batch) = $0 { queuedBytes += batch.byteCount } } }
    }

    /// Queues an element. One of a channel that is not known here is dropped without a word.
    mutating func receive(_ id: ChannelID, sequence: UInt64, _ element: StreamElement) throws(StreamError) {
        guard let position = position(of: id) else {
            guard let place = opened.firstIndex(where: { $0.id == id }) else { return }
            let bytes = try InputGate.receive(&opened[place], sequence: sequence, element)
            queuedBytes += bytes
            return
        }
        let bytes = try InputGate.receive(&channels[position], sequence: sequence, element)
        queuedBytes += bytes
        standInLine(position)
    }

    /// Answers the bytes that wait on it more than before.
    private static func receive(_ channel: inout InputChannel, sequence: UInt64, _ element: StreamElement) throws(StreamError) -> Int {
        guard sequence == channel.nextSequence else {
            throw StreamError(.connection, retry: true, "channel \(channel.id): element \(sequence) came where \(channel.nextSequence) was due")
        }
        channel.nextSequence += 1
        if case .batch(let batch) = element {
            guard channel.credits.batchArrived() else {
                throw StreamError(.internal, retry: true, "channel \(channel.id): a batch came without credit")
            }
            channel.queue.append(element)
            return batch.byteCount
        }
        // A watermark says what the one right before it said, and more: what waits is bounded by the batches.
        if case .watermark = element, case .watermark? = channel.queue.last {
            channel.queue.last = element
        } else {
            channel.queue.append(element)
        }
        return 0
    }

    /// The next element and its channel; `done` must follow. Nil when nothing can be taken.
    mutating func take() -> (position: Int, element: StreamElement)? {
        while let position = line.popFirst() {
            channels[position].isInLine = false
            guard !channels[position].isBlocked, let element = channels[position].queue.popFirst() else { continue }
            return (position, element)
        }
        return nil
    }

    /// A batch has left its queue. Returns the credits to announce.
    mutating func consumed(_ position: Int, bytes: Int) -> Int? {
        queuedBytes -= bytes
        return channels[position].credits.batchConsumed()
    }

    /// What `take` gave is dealt with.
    mutating func done(_ position: Int) { standInLine(position) }

    mutating func block(_ position: Int) { channels[position].isBlocked = true }

    mutating func unblock(_ positions: [Int]) {
        for position in positions {
            channels[position].isBlocked = false
            standInLine(position)
        }
    }

    /// The task has failed: nothing will be taken any more.
    mutating func clear() {
        for position in channels.indices { channels[position].queue.removeAll() }
        opened = []
        line.removeAll()
        queuedBytes = 0
    }

    private mutating func standInLine(_ position: Int) {
        guard !channels[position].isInLine, !channels[position].isBlocked, !channels[position].queue.isEmpty else { return }
        channels[position].isInLine = true
        line.append(position)
    }

    func checkInvariants() {
        var bytes = 0
        for position in channels.indices {
            bytes += channels[position].checkedBytes
            precondition(
                channels[position].queue.isEmpty || channels[position].isBlocked || channels[position].isInLine, "what can be taken stands in line")
        }
        for place in opened.indices { bytes += opened[place].checkedBytes }
        precondition(bytes == queuedBytes, "the gate counts its bytes")
    }

    /// Exactly these channels wait for others' barriers.
    func blocks(exactly positions: [Int]) -> Bool {
        var count = 0
        for position in channels.indices where channels[position].isBlocked { count += 1 }
        return count == positions.count && positions.allSatisfy { channels[$0].isBlocked }
    }
}

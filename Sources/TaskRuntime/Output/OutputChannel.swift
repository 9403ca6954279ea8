import Columnar
import Dataflow

/// One channel out of a task: numbers what is sent, and keeps in order what has no credit yet.
///
/// Batches cost credit. Events cost none, but never overtake the batches before them.
final class OutputChannel {
    let id: ChannelID
    private let outbox: Outbox
    private var window: CreditWindow
    private var sequence: UInt64 = 0
    private var queue = RingQueue<StreamElement>()
    private(set) var queuedBatches = 0
    private(set) var queuedBytes = 0

    private let faults: Set<SeededFault>

    init(id: ChannelID, capacity: Int, outbox: Outbox, faults: Set<SeededFault> = []) {
        self.faults = faults
        self.id = id
        self.outbox = outbox
        self.window = CreditWindow(capacity: capacity)
    }

    /// Nothing waits.
    var isEmpty: Bool { queue.isEmpty }

    var hasCredit: Bool { window.available > 0 }

    func push(_ batch: Batch, bytes: Int) {
        if queue.isEmpty, window.spend() { return send(.batch(batch)) }
        queue.append(.batch(batch))
        queuedBatches += 1
        queuedBytes += bytes
    }

    func push(_ event: StreamElement) {
        if queue.isEmpty || faults.contains(.barriersOvertakeRows) { return send(event) }
        // A watermark says what the one right before it said, and more: what waits is bounded by the batches.
        if case .watermark = event, case .watermark? = queue.last { queue.last = event } else { queue.append(event) }
    }

    func add(credits: Int) throws(StreamError) {
        guard window.add(credits) else {
            throw StreamError(.internal, retry: true, "channel \(id): \(credits) credits came, more than its receiver has room for")
        }
        while let element = queue.first {
            if case .batch(let batch) = element {
                guard window.spend() else { return }
                queuedBatches -= 1
                queuedBytes -= batch.byteCount
            }
            _ = queue.popFirst()
            send(element)
        }
    }

    func clear() {
        queue.removeAll()
        queuedBatches = 0
        queuedBytes = 0
    }

    private func send(_ element: StreamElement) {
        outbox.effects.append(.send(id, sequence: sequence, element))
        sequence += 1
    }

    func checkInvariants() {
        var (batches, bytes) = (0, 0)
        queue.forEach { if case .batch(let batch) = $0 { batches += 1; bytes += batch.byteCount } }
        precondition(batches == queuedBatches && bytes == queuedBytes, "the channel counts what waits")
        if let first = queue.first {
            guard case .batch = first else { preconditionFailure("only a batch may stand first in a queue: events need no credit") }
            precondition(!hasCredit, "nothing waits while there is credit")
        }
    }
}

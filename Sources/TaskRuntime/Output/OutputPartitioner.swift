import Columnar
import Dataflow

/// The end of a chain that sends: spreads rows over the channels of each edge out of the task.
final class OutputPartitioner: Output {
    private final class Edge {
        let partitioning: JobEdge.Partitioning
        let channels: [OutputChannel]
        let router: HashRouter?
        /// Bytes of a batch at most.
        let limit: Int
        var turn = 0

        init(partitioning: JobEdge.Partitioning, channels: [OutputChannel], router: HashRouter?, batchBytes: Int) {
            self.partitioning = partitioning
            self.channels = channels
            self.router = router
            limit = max(batchBytes / max(channels.count, 1), min(batchBytes, 64 << 10))
        }
    }

    private var edges: [Edge] = []
    private var channels: [OutputChannel] = []
    /// Of tasks that a planned change has retired: what was sent before its barrier still waits for credit.
    private var draining: [OutputChannel] = []
    /// Of each edge; for `SeededFault.rowsToOldOwners`.
    private var owners: [[UInt16]] = []
    private let capacity: Int
    private let batchBytes: Int
    private let outbox: Outbox
    private let faults: Set<SeededFault>
    private var lastWatermark = Watermark.minimum
    private(set) var rows: Int64 = 0
    /// Rows that came, however many edges they leave by.
    private(set) var rowsIn: Int64 = 0
    private(set) var batches: Int64 = 0
    private(set) var bytes: Int64 = 0

    init(_ outputs: [TaskPlan.Output], capacity: Int, batchBytes: Int = TaskOptions().batchBytes, outbox: Outbox, faults: Set<SeededFault> = []) {
        self.capacity = capacity
        self.outbox = outbox
        self.faults = faults
        self.batchBytes = batchBytes
        change(to: outputs)
    }

    /// Channels that stay go on as they are; rows from here on go by the new owners.
    func change(to outputs: [TaskPlan.Output]) {
        let old = channels
        let before = owners
        owners = outputs.map(\.owners)
        edges = outputs.enumerated().map { place, output in
            let channels = output.channels.map { id in
                old.first { $0.id == id } ?? OutputChannel(id: id, capacity: capacity, outbox: outbox, faults: faults)
            }
            var router: HashRouter?
            if case .hash(let keys) = output.partitioning, channels.count > 1 {
                var owners = output.owners
                if faults.contains(.rowsToOldOwners), before.indices.contains(place) {
                    owners = zip(before[place], owners).map { output.targets.contains(Int($0)) ? $0 : $1 }
                }
                router = HashRouter(keys: keys, targets: output.targets, owners: owners)
            }
            return Edge(partitioning: output.partitioning, channels: channels, router: router, batchBytes: batchBytes)
        }
        channels = edges.flatMap(\.channels)
        let kept = Set(channels.map(\.id))
        draining = (draining + old.filter { !kept.contains($0.id) }).filter { !$0.isEmpty }
    }

    /// After the barrier of a planned change: where this task stands. Receivers have forgotten what it said before.
    func declareWatermark() { if lastWatermark > Watermark.minimum { send(.watermark(lastWatermark)) } }

    /// As before, but with a watermark that may be lower; the least there is: none, and nothing is sent.
    func declare(_ watermark: Int64) {
        lastWatermark = watermark
        declareWatermark()
    }

    /// Batches wait for credit: the task takes no further input.
    var isBlocked: Bool {
        for channel in channels where channel.queuedBatches > 0 { return true }
        for channel in draining where channel.queuedBatches > 0 { return true }
        return false
    }

    var queuedBytes: Int {
        var total = 0
        for channel in channels { total += channel.queuedBytes }
        for channel in draining { total += channel.queuedBytes }
        return total
    }

    func emit(_ batch: Batch) throws(StreamError) {
        guard batch.count > 0 else { return }
        rowsIn += Int64(batch.count)
        for edge in edges {
            if let router = edge.router {
                var failure: StreamError?
                router.route(batch) { part, channel in
                    do throws(StreamError) { try push(part, to: edge.channels[channel], limit: edge.limit) } catch { failure = error }
                }
                if let failure { throw failure }
            } else if edge.channels.count == 1 {
                try push(batch, to: edge.channels[0], limit: edge.limit)
            } else if !edge.channels.isEmpty {
                try push(batch, to: next(of: edge), limit: edge.limit)
            }
        }
    }

    /// Channels in turn; one without credit is passed over while another has some.
    private func next(of edge: Edge) -> OutputChannel {
        let count = edge.channels.count
        let start = edge.turn
        edge.turn = (start + 1) % count
        for offset in 0..<count {
            let channel = edge.channels[(start + offset) % count]
            guard channel.hasCredit else { continue }
            edge.turn = (start + offset + 1) % count
            return channel
        }
        return edge.channels[start]
    }

    /// In pieces of `limit` bytes at most, or of one row.
    private func push(_ batch: Batch, to channel: OutputChannel, limit: Int) throws(StreamError) {
        let size = batch.byteCount
        if size > limit, batch.count > 1 {
            let step = max(batch.count / ((size + limit - 1) / limit), 1)
            var from = 0
            while from < batch.count {
                let end = min(from + step, batch.count)
                // Rows differ: a piece may still be too large, and is cut again.
                try push(batch.slice(from..<end), to: channel, limit: limit)
                from = end
            }
            return
        }
        guard size <= TaskOptions.maximumRowBytes else {
            throw StreamError(.user, retry: false, "a row of \(size) bytes is over the limit of \(TaskOptions.maximumRowBytes)")
        }
        rows += Int64(batch.count)
        batches += 1
        bytes += Int64(size)
        channel.push(batch, bytes: size)
    }

    func emitWatermark(_ milliseconds: Int64) throws(StreamError) {
        lastWatermark = milliseconds
        send(.watermark(milliseconds))
    }

    /// To every channel, behind the batches that are before it.
    func send(_ event: StreamElement) {
        for channel in channels { channel.push(event) }
    }

    func add(credits: Int, to id: ChannelID) throws(StreamError) {
        // A channel of another attempt is none of ours.
        for channel in channels where channel.id == id { return try channel.add(credits: credits) }
        for channel in draining where channel.id == id {
            try channel.add(credits: credits)
            if channel.isEmpty { draining.removeAll { $0 === channel } }
            return
        }
    }

    func clear() { for channel in channels + draining { channel.clear() } }

    func checkInvariants() {
        for channel in channels { channel.checkInvariants() }
        for channel in draining { channel.checkInvariants() }
    }
}

import Columnar
import Dataflow

/// Splits batches by key hash → key group → owner → channel: one pass that counts, one gather a channel.
final class HashRouter {
    private let keys: [Int]
    private let groups: Int
    private let targets: Int
    /// For each key group the position of its channel.
    private let channelOfGroup: UnsafeMutablePointer<UInt16>
    /// Room for one batch: its hashes, its channels, and row numbers sorted by channel.
    private var capacity = 0
    private var hashes = UnsafeMutablePointer<UInt64>.allocate(capacity: 0)
    private var channels = UnsafeMutablePointer<UInt16>.allocate(capacity: 0)
    private var order = UnsafeMutablePointer<Int32>.allocate(capacity: 0)
    /// Rows for each channel, then where its next row goes.
    private let counts: UnsafeMutablePointer<Int>

    /// `targets[i]` is the subtask that channel i leads to; `owners` names for each key group its subtask.
    init(keys: [Int], targets: [Int], owners: [UInt16]) {
        self.keys = keys
        self.groups = owners.count
        self.targets = targets.count
        channelOfGroup = .allocate(capacity: owners.count)
        for (group, owner) in owners.enumerated() {
            guard let channel = targets.firstIndex(of: Int(owner)) else { preconditionFailure("every owner of a key group is a target") }
            channelOfGroup[group] = UInt16(channel)
        }
        counts = .allocate(capacity: targets.count + 1)
    }

    deinit {
        channelOfGroup.deallocate()
        hashes.deallocate()
        channels.deallocate()
        order.deallocate()
        counts.deallocate()
    }

    /// Calls `body` once for each channel that gets rows, in the order of channels. The batch goes as it is when one gets all.
    func route(_ batch: Batch, to body: (Batch, Int) -> Void) {
        let rows = batch.count
        reserve(rows)
        KeyHash.hashes(keys.map { batch.columns[$0] }, count: rows, into: hashes)
        counts.update(repeating: 0, count: targets + 1)
        for row in 0..<rows {
            let channel = channelOfGroup[KeyGroup.of(hash: hashes[row], groups: groups)]
            channels[row] = channel
            counts[Int(channel)] &+= 1
        }
        let only = Int(channels[0])
        if counts[only] == rows { return body(batch, only) }
        var start = 0
        for channel in 0..<targets {
            let count = counts[channel]
            counts[channel] = start
            start += count
        }
        for row in 0..<rows {
            let channel = Int(channels[row])
            order[counts[channel]] = Int32(truncatingIfNeeded: row)
            counts[channel] &+= 1
        }
        // Each count is now its channel's end.
        start = 0
        for channel in 0..<targets where counts[channel] > start {
            body(batch.gather(UnsafeBufferPointer(start: order + start, count: counts[channel] - start)), channel)
            start = counts[channel]
        }
    }

    private func reserve(_ rows: Int) {
        guard rows > capacity else { return }
        hashes.deallocate()
        channels.deallocate()
        order.deallocate()
        capacity = max(rows, 8192)
        hashes = .allocate(capacity: capacity)
        channels = .allocate(capacity: capacity)
        order = .allocate(capacity: capacity)
    }
}

import Columnar
import Dataflow
import Wire

/// See `promise`. A channel follows the layout that it was opened for, and from each layout barrier on the one that the barrier names.
struct LayoutChecker: Checker {
    static let promise = """
        Every row of an edge by key goes to the one subtask that owns its key group, in the layout that holds on its channel; the state of a \
        key group leaves its old owner once in a change, and once as a copy ahead of it, for the owner that the next layout names.
        """

    private let graph: JobGraph
    private var layouts: [LayoutEpoch: Layout] = [:]
    /// The layout that an attempt began.
    private var epochs: [UInt32: LayoutEpoch] = [:]
    private var channels: [ChannelID: LayoutEpoch] = [:]
    private var sent: Set<String> = []

    init(graph: JobGraph) { self.graph = graph }

    mutating func see(_ seen: Observation, at time: Duration) -> String? {
        switch seen {
        case .leaderSent(.deploy(let deployment), _, _), .leaderSent(.change(let deployment), _, _):
            layouts[deployment.layout.epoch] = deployment.layout
            epochs[deployment.layout.attempt] = deployment.layout.epoch
            return nil
        case .elementSent(let id, _, .barrier(let barrier)):
            if let epoch = barrier.layout { channels[id] = epoch }
            return nil
        case .elementSent(let id, _, .batch(let batch)): return wrong(batch, on: id)
        case .stateSent(let parcel): return wrong(parcel)
        default: return nil
        }
    }

    private func wrong(_ batch: Batch, on id: ChannelID) -> String? {
        let edge = graph.edges[Int(id.edge)]
        guard case .hash(let keys) = edge.partitioning, let epoch = channels[id] ?? epochs[id.attempt], let layout = layouts[epoch] else { return nil }
        let owners = layout.vertices[edge.target].owners
        var hashes = [UInt64](repeating: 0, count: batch.count)
        hashes.withUnsafeMutableBufferPointer { target in
            if let start = target.baseAddress { KeyHash.hashes(keys.map { batch.columns[$0] }, count: batch.count, into: start) }
        }
        for hash in hashes {
            let group = KeyGroup.of(hash: hash, groups: owners.count)
            if owners[group] != id.to { return "a row of key group \(group) goes by \(id), but \(owners[group]) owns it in layout \(epoch)" }
        }
        return nil
    }

    private mutating func wrong(_ parcel: StateParcel) -> String? {
        guard let layout = layouts[parcel.layout] else { return "state moves in layout \(parcel.layout), which nobody planned" }
        if !layout.has(parcel.to) { return "state goes to \(parcel.to), which is not in layout \(parcel.layout)" }
        if !sent.insert("\(parcel.from) \(parcel.to) \(parcel.layout) \(parcel.isAhead) \(parcel.number)").inserted { return "\(parcel.from) sends its state to \(parcel.to) twice" }
        return nil
    }
}

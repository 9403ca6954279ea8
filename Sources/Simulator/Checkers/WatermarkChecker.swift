import Columnar
import Dataflow

/// See `promise`.
struct WatermarkChecker: Checker {
    static let promise = """
        The watermark of a channel never falls but behind the barrier of a layout change, no row in it is behind the watermark, and nothing but \
        barriers follows its end.
        """

    private struct Channel {
        var watermark = Watermark.minimum
        var sequence: UInt64 = 0
        var hasEnded = false
    }

    /// For each edge the column that holds event time in milliseconds, and how much it is ahead of it: a slice's end is not late for
    /// the watermark one below it.
    private let times: [Int: (column: Int, lead: Int64)]
    private var channels: [ChannelID: Channel] = [:]

    /// `idles`: readers wait for splits that are found later. Who hears them and others does not, and what they then read is late.
    init(graph: JobGraph, idles: Bool) {
        var times: [Int: (Int, Int64)] = [:]
        for (index, edge) in graph.edges.enumerated() where !idles || graph.vertices[edge.source].source != nil {
            if let column = edge.schema.index(of: "ts") { times[index] = (column, 0) }
            if let column = edge.schema.index(of: "$slice_end") { times[index] = (column, 1) }
            if let column = edge.schema.index(of: "window_time") { times[index] = (column, 0) }
        }
        self.times = times
    }

    mutating func see(_ seen: Observation, at time: Duration) -> String? {
        guard case .elementSent(let id, let sequence, let element) = seen else { return nil }
        var channel = channels[id] ?? Channel()
        defer { channels[id] = channel }
        if sequence != channel.sequence { return "element \(sequence) follows element \(Int64(channel.sequence) - 1) on \(id)" }
        channel.sequence += 1
        switch element {
        case .watermark(let mark):
            if mark < channel.watermark { return "the watermark of \(id) falls from \(channel.watermark) to \(mark)" }
            if channel.hasEnded { return "a watermark follows the end of \(id)" }
            channel.watermark = mark
        case .batch(let batch):
            if channel.hasEnded { return "rows follow the end of \(id)" }
            guard let (column, lead) = times[Int(id.edge)] else { return nil }
            let values = batch.columns[column].pointer(Int64.self)
            for row in 0..<batch.count where values[row] - lead <= channel.watermark {
                return "a row of time \(values[row]) follows watermark \(channel.watermark) on \(id)"
            }
        case .end: channel.hasEnded = true
        case .barrier(let barrier) where barrier.layout != nil:
            // Every channel declares its watermark and its end anew.
            channel.watermark = Watermark.minimum
            channel.hasEnded = false
        case .barrier, .idle, .active: break
        }
        return nil
    }
}

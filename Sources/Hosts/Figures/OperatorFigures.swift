import Dataflow
import Wire

/// One operator of a chain with its figures, by Flink's names: what its reporter has in the scope `operator`.
package struct OperatorFigures: Sendable {
    /// In the chain.
    package let index: Int
    /// As people see it: `Source: ticks[1]`.
    package let name: String
    package let figures: [(name: String, value: Double)]

    /// As REST has it within the names of metrics: `Source__ticks[1]`. Source: Flink 2.x, `MetricQueryService.replaceInvalidChars`.
    package var queryName: String { OperatorFigures.queryName(name) }

    package static func queryName(_ name: String) -> String {
        String(String.UnicodeScalarView(name.unicodeScalars.map { [" ", ".", ":", ","].contains($0) ? "_" : $0 }))
    }

    /// In the chain's order; empty before the first report. Rates are over the time between the last two reports.
    package static func all(of vertex: JobVertex, _ reading: TaskReading) -> [OperatorFigures] {
        vertex.chain.indices.compactMap { OperatorFigures(of: $0, in: vertex, reading) }
    }

    /// Nil before the first report.
    package init?(of index: Int, in vertex: JobVertex, _ reading: TaskReading) {
        let (last, operators) = (vertex.chain.count - 1, reading.metrics.operators)
        guard operators.count == vertex.chain.count else { return nil }
        let now = operators[index]
        let earlier = reading.before.flatMap { $0.operators.indices.contains(index) ? $0.operators[index] : nil }
        func rate(_ part: (OperatorMetrics) -> Int64) -> Double {
            guard let earlier, reading.seconds > 0 else { return 0 }
            return Double(max(0, part(now) - part(earlier))) / reading.seconds
        }
        let (isSource, isSink) = (index == 0 && vertex.source != nil, index == last && vertex.sink != nil)
        var figures: [(String, Double)] = [
            ("numRecordsIn", Double(now.rowsIn)), ("numRecordsInPerSecond", rate(\.rowsIn)),
            ("numRecordsOut", Double(now.rowsOut)), ("numRecordsOutPerSecond", rate(\.rowsOut)),
        ]
        /// What is told of the whole chain.
        func take(_ name: String, as other: String? = nil) {
            if let value = TaskFigures.value(of: name, reading) { figures.append((other ?? name, value)) }
        }
        // Bytes are counted where rows enter the chain and where they leave it.
        if index == 0 { for name in ["numBytesIn", "numBytesInPerSecond"] { take(name) } }
        if index == last { for name in ["numBytesOut", "numBytesOutPerSecond"] { take(name) } }
        if isSource {
            for name in ["numRecordsSkipped", SourceGauge.pendingRows, SourceGauge.lagMilliseconds] + reading.metrics.gauges.keys.sorted() { take(name) }
        } else {
            take("currentInputWatermark")
        }
        if isSink {
            // A sink that cannot write fails.
            figures += [("numRecordsSend", Double(now.rowsOut)), ("numRecordsSendErrors", 0), ("numRecordsOutErrors", 0)]
            take("numBytesOut", as: "numBytesSend")
        } else {
            take("currentInputWatermark", as: "currentOutputWatermark")
        }
        if case .windowAggregate = vertex.chain[index].spec {
            figures += [("numLateRecordsDropped", Double(now.lateRows)), ("lateRecordsDroppedRate", rate(\.lateRows))]
        }
        if now.stateBytes > 0 { figures.append(("stateSizeBytes", Double(now.stateBytes))) }
        (self.index, self.name, self.figures) = (index, vertex.chain[index].name, figures)
    }

    /// 32 hex digits, stable for the same SQL, as the vertex's id and the operator's uid are. The first operator of a chain has the vertex's own, as in
    /// Flink.
    package static func id(of index: Int, in vertex: JobVertex) -> String {
        if index == 0 { return vertex.id }
        func hash(_ seed: UInt64) -> UInt64 {
            (vertex.id + vertex.chain[index].uid).utf8.reduce(seed) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
        }
        return hex(hash(0xCBF2_9CE4_8422_2325)) + hex(hash(0x6C62_272E_07BB_0142))
    }
}

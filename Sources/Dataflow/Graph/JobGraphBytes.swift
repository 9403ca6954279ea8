import FoundationEssentials

/// A job graph as JSON: on the wire, in HEAD's neighbourhood, and over REST.
package enum JobGraphBytes {
    package static func encode(_ graph: JobGraph) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        guard let data = try? encoder.encode(graph) else { preconditionFailure("a job graph is always encodable") }
        return Array(data)
    }

    package static func decode(_ bytes: [UInt8]) throws(StreamError) -> JobGraph {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        do { return try decoder.decode(JobGraph.self, from: Data(bytes)) } catch {
            throw StreamError(.internal, retry: false, "the job graph cannot be read: \(error)")
        }
    }
}

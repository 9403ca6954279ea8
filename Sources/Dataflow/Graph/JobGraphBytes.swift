import FoundationEssentials
import Synchronization

/// A job graph as JSON: on the wire, in HEAD's neighbourhood, and over REST.
package enum JobGraphBytes {
    package static func encode(_ graph: JobGraph) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        guard let data = try? encoder.encode(graph) else { preconditionFailure("a job graph is always encodable") }
        return Array(data)
    }

    /// The last graphs that were read: a TaskManager meets the same bytes at every deployment and change of a job, and in several places.
    private static let recent = Mutex<[(bytes: [UInt8], graph: JobGraph)]>([])
    private static let most = (graphs: 4, bytes: 1 << 20)

    package static func decode(_ bytes: [UInt8]) throws(StreamError) -> JobGraph {
        if let known = recent.withLock({ $0.first { $0.bytes == bytes }?.graph }) { return known }
        let graph = try read(bytes)
        guard bytes.count <= most.bytes else { return graph }
        recent.withLock { recent in
            if recent.count >= most.graphs { recent.removeFirst() }
            recent.append((bytes, graph))
        }
        return graph
    }

    private static func read(_ bytes: [UInt8]) throws(StreamError) -> JobGraph {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        do { return try decoder.decode(JobGraph.self, from: Data(bytes)) } catch {
            throw StreamError(.internal, retry: false, "the job graph cannot be read: \(error)")
        }
    }
}

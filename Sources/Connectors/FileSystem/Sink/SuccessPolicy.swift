import Columnar
import Dataflow

/// Whether and when a partition's folder gets a file that says it is whole (`sink.partition-commit.*`).
struct SuccessPolicy: Hashable, Sendable {
    let fileName: String
    /// After the partition's first row at this sink.
    let delay: Duration

    init?(_ options: Options, isPartitioned: Bool) throws(StreamError) {
        let kinds = options.string("sink.partition-commit.policy.kind")?.split(separator: ",").map { $0.filter { $0 != " " } } ?? []
        for kind in kinds where kind != "success-file" {
            throw options.error("'sink.partition-commit.policy.kind' is 'success-file', not '\(kind)'")
        }
        switch options.string("sink.partition-commit.trigger") {
        case nil, "process-time": break
        case "partition-time": throw options.error("'sink.partition-commit.trigger' is 'process-time'; 'partition-time' is not there yet")
        case let other?: throw options.error("'sink.partition-commit.trigger' is 'process-time', not '\(other)'")
        }
        delay = try options.duration("sink.partition-commit.delay") ?? .zero
        fileName = options.string("sink.partition-commit.success-file.name") ?? "_SUCCESS"
        guard fileName.hasPrefix("_") || fileName.hasPrefix("."), !fileName.contains("/") else {
            throw options.error("'sink.partition-commit.success-file.name' begins with '_' or '.', so that readers pass it over")
        }
        guard !kinds.isEmpty else { return nil }
        guard isPartitioned else { throw options.error("'sink.partition-commit.policy.kind' needs a partitioned table") }
    }
}

/// A success file that is still to be written, as a committable.
struct SuccessMark: Hashable {
    private static let version: UInt8 = 32

    /// Below the table's path.
    var path: String

    static func isOne(_ committable: Committable) -> Bool { committable.payload.first == version }

    func committable(_ task: TaskID, _ checkpoint: CheckpointID) -> Committable {
        var writer = ByteWriter()
        writer.put(SuccessMark.version)
        writer.put(path)
        return Committable(id: "\(path)#\(task.subtask)-\(task.attempt)-\(checkpoint)", payload: writer.bytes)
    }

    init(path: String) { self.path = path }

    init(_ committable: Committable) throws(StreamError) {
        do throws(MalformedBytes) {
            path = try ByteReader.reading(committable.payload) { reader throws(MalformedBytes) in
                guard try reader.number(UInt8.self) == SuccessMark.version else { throw MalformedBytes("another version") }
                let path = try reader.string()
                try reader.end()
                return path
            }
        } catch {
            throw StreamError(.user, retry: false, "\(committable.id) is no committable of the filesystem connector: \(error)")
        }
    }
}

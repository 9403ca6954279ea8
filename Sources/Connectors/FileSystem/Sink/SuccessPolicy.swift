import CKernels
import Columnar
import Dataflow

/// Whether and when a partition's folder gets a file that says it is whole (`sink.partition-commit.*`).
struct SuccessPolicy: Sendable {
    let fileName: String
    /// After the partition's first row at this sink, or after the moment that the partition names.
    let delay: Duration
    /// By the watermark, not by the clock.
    let partitionTime: PartitionTime?

    /// `keys`: of `PARTITIONED BY`.
    init?(_ options: Options, keys: [String], isPartitioned: Bool) throws(StreamError) {
        let kinds = options.string("sink.partition-commit.policy.kind")?.split(separator: ",").map { $0.filter { $0 != " " } } ?? []
        for kind in kinds where kind != "success-file" {
            throw options.error("'sink.partition-commit.policy.kind' is 'success-file', not '\(kind)'")
        }
        switch options.string("sink.partition-commit.trigger") {
        case nil, "process-time": partitionTime = nil
        case "partition-time":
            guard !keys.isEmpty else { throw options.error("'sink.partition-commit.trigger' = 'partition-time' needs PARTITIONED BY") }
            partitionTime = try PartitionTime(options, keys: keys)
        case let other?: throw options.error("'sink.partition-commit.trigger' is 'process-time' or 'partition-time', not '\(other)'")
        }
        delay = try options.duration("sink.partition-commit.delay") ?? .zero
        fileName = options.string("sink.partition-commit.success-file.name") ?? "_SUCCESS"
        guard fileName.hasPrefix("_") || fileName.hasPrefix("."), !fileName.contains("/") else {
            throw options.error("'sink.partition-commit.success-file.name' begins with '_' or '.', so that readers pass it over")
        }
        guard !kinds.isEmpty else { return nil }
        guard isPartitioned else { throw options.error("'sink.partition-commit.policy.kind' needs a partitioned table") }
    }

    /// Whether a folder's time has come, whose first row came at `since` (milliseconds since the epoch).
    func isTime(_ folder: String, since: Int64, at wall: Int64, watermark: Int64, defaultName: String) throws(StreamError) -> Bool {
        guard let partitionTime else { return wall - since >= delay.milliseconds }
        return try partitionTime.moment(of: folder, defaultName: defaultName) + delay.milliseconds < watermark
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
        // Paths may equal each other as texts and not as bytes.
        let bytes = PartName.hex(Array(path.utf8).withUnsafeBytes { swiftwater_crc32c(0, $0.baseAddress, $0.count) })
        return Committable(id: "\(path)#\(bytes)-\(task.subtask)-\(task.attempt)-\(checkpoint)", payload: writer.bytes)
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

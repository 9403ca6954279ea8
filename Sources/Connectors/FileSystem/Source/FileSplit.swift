import Columnar
import Dataflow

/// The bytes `[start, end)` of a file: the rows of the lines that begin there.
struct FileSplit: Equatable {
    var path: String
    var start: Int64
    var end: Int64
    /// Of the whole file when it was found, to notice that it was replaced.
    var size: Int64
    /// Nanoseconds since the epoch.
    var modified: Int64
    /// Below the table's folder: partition values stand in it.
    var relativePath: String
    /// Of an object in a bucket; empty for files.
    var etag = ""

    var split: Split {
        var writer = ByteWriter()
        writer.put(UInt8(etag.isEmpty ? 1 : 2))
        writer.put(path)
        writer.put(relativePath)
        for number in [start, end, size, modified] { writer.put(number) }
        if !etag.isEmpty { writer.put(etag) }
        return Split(id: "\(relativePath)#\(start)", label: "\(path)[\(start)..<\(end))", payload: writer.bytes)
    }

    init(path: String, relativePath: String, start: Int64, end: Int64, size: Int64, modified: Int64, etag: String = "") {
        self.path = path
        self.relativePath = relativePath
        self.start = start
        self.end = end
        self.size = size
        self.modified = modified
        self.etag = etag
    }

    init(_ split: Split) throws(StreamError) {
        do throws(MalformedBytes) {
            self = try ByteReader.reading(split.payload) { reader throws(MalformedBytes) in
                let version = try reader.number(UInt8.self)
                guard version == 1 || version == 2 else { throw MalformedBytes("another version") }
                let path = try reader.string(), relativePath = try reader.string()
                return FileSplit(
                    path: path, relativePath: relativePath, start: try reader.number(), end: try reader.number(), size: try reader.number(),
                    modified: try reader.number(), etag: version == 2 ? try reader.string() : "")
            }
        } catch {
            throw StreamError(.user, retry: false, "split \(split.label) is not one of the filesystem connector: \(error)")
        }
    }

    /// What a column says that is declared `METADATA FROM 'key'`.
    func metadata(_ key: String) -> Value {
        switch key {
        case "file.path": .string(path)
        case "file.name": .string(FilePath.name(path))
        case "file.size": .integer(size)
        case "file.modification-time": .integer(modified / 1_000_000)
        default: preconditionFailure("the connector's list of metadata has no \(key)")
        }
    }

    /// Compressed files are read whole, from their start.
    var isCompressed: Bool { path.hasSuffix(".gz") || path.hasSuffix(".gzip") }
}

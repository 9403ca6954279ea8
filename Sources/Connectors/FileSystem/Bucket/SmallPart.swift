import Columnar
import Dataflow

/// A file of less than one part that has ended, as a committable, where small files are merged (`auto-compaction`): its bytes lie in an object that
/// readers pass over, until a commit makes a file of it and others (`BucketMerge`).
package struct SmallPart: Hashable, Sendable {
    private static let version: UInt8 = 24
    static let folder = "_swiftwater/parts"

    /// The table's folder: empty, or ending in `/`.
    var prefix: String
    var file: FinishedFile

    /// Where the bytes are.
    package var key: String { SmallPart.key(prefix, file.path) }
    /// Of the file, below the table's path.
    package var path: String { file.path }

    /// Names of files are unique, whatever folder they are in, and some readers look at a file's own name only.
    static func key(_ prefix: String, _ path: String) -> String { "\(prefix)\(folder)/_\(FilePath.name(path))" }

    /// The name of the file whose bytes are at this path; nil: it is no such path.
    static func name(at path: String) -> String? {
        path.hasPrefix(folder + "/_") ? String(path.dropFirst(folder.count + 2)) : nil
    }

    package static func isOne(_ committable: Committable) -> Bool { committable.payload.first == version }

    var committable: Committable {
        var writer = ByteWriter()
        writer.put(SmallPart.version)
        writer.put(prefix)
        writer.put(file)
        return Committable(id: key, payload: writer.bytes)
    }

    init(prefix: String, file: FinishedFile) { (self.prefix, self.file) = (prefix, file) }

    package init(_ committable: Committable) throws(StreamError) {
        do throws(MalformedBytes) {
            self = try ByteReader.reading(committable.payload) { reader throws(MalformedBytes) in
                guard try reader.number(UInt8.self) == SmallPart.version else { throw MalformedBytes("another version") }
                let prefix = try reader.string(), file = try FinishedFile(from: &reader, hasLineage: true)
                try reader.end()
                return SmallPart(prefix: prefix, file: file)
            }
        } catch {
            throw StreamError(.user, retry: false, "\(committable.id) is no committable of files in a bucket: \(error)")
        }
    }
}

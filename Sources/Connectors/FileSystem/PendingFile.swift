import Columnar
import Dataflow
import Glibc

/// A finished file under its hidden name, as a committable: a rename that is still to be done.
struct PendingFile: Equatable {
    var hidden: String
    var target: String
    var length: Int64

    var committable: Committable {
        var writer = ByteWriter()
        writer.put(UInt8(1))
        writer.put(hidden)
        writer.put(target)
        writer.put(length)
        return Committable(id: target, payload: writer.bytes)
    }

    init(hidden: String, target: String, length: Int64) {
        self.hidden = hidden
        self.target = target
        self.length = length
    }

    init(_ committable: Committable) throws(StreamError) {
        do throws(MalformedBytes) {
            self = try ByteReader.reading(committable.payload) { reader throws(MalformedBytes) in
                guard try reader.number(UInt8.self) == 1 else { throw MalformedBytes("another version") }
                return PendingFile(hidden: try reader.string(), target: try reader.string(), length: try reader.number())
            }
        } catch {
            throw StreamError(.user, retry: false, "\(committable.id) is no committable of the filesystem connector: \(error)")
        }
    }

    /// For a file that no checkpoint names.
    func remove() { unlink(hidden) }

    /// Gives the file its name. Done before: nothing. Never writes over another file.
    func commit() throws(StreamError) {
        let pending = try FilePath.status(hidden), finished = try FilePath.status(target)
        if let finished {
            guard pending == nil, finished.size == length else {
                throw StreamError(
                    .externalSystem, retry: false, "committing \(target): a file of \(finished.size) bytes is there already, \(length) bytes wait to be committed")
            }
            return
        }
        guard let pending else {
            throw StreamError(.externalSystem, retry: false, "committing \(target): neither it nor its pending file \(hidden) is there any more")
        }
        guard pending.size == length else {
            throw StreamError(.externalSystem, retry: false, "committing \(target): its pending file has \(pending.size) bytes, not \(length)")
        }
        guard rename(hidden, target) == 0 else { throw FilePath.error("committing", target) }
    }
}

/// Names that no restore, rescale or second job can give twice: `part-<job>-<vertex>-<subtask>-<attempt>-<counter>`; hidden
/// while rows are written and until the checkpoint that covers them is complete.
struct PartName: Equatable {
    var job: JobID
    var vertex: Int
    var subtask: Int
    var attempt: UInt32
    var counter: Int

    static func prefix(_ job: JobID, _ vertex: Int) -> String { "part-\(job)-\(vertex)-" }
    private static let hiddenSuffix = ".inprogress"

    var name: String { PartName.prefix(job, vertex) + "\(subtask)-\(attempt)-\(counter)" }
    var hiddenName: String { "." + name + PartName.hiddenSuffix }

    /// The attempt of a hidden file of this job and vertex; nil for any other file.
    static func attempt(ofHidden name: String, _ job: JobID, _ vertex: Int) -> UInt32? {
        let start = "." + prefix(job, vertex)
        guard name.hasPrefix(start), name.hasSuffix(hiddenSuffix) else { return nil }
        let numbers = name.dropFirst(start.count).dropLast(hiddenSuffix.count).split(separator: "-")
        return numbers.count == 3 ? UInt32(numbers[1]) : nil
    }
}

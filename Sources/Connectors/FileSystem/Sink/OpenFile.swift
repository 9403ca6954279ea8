import Columnar
import Dataflow

/// An in-progress file as a checkpoint keeps it: what was uploaded, and the bytes after that, which no part holds yet.
struct OpenFile: Hashable, Sendable {
    var file: FinishedFile
    /// Below the table's path, without the file's name.
    var folder: String
    /// The file's unique id (`PartUpload.idName`).
    var id: String
    /// Nil: nothing was uploaded, the tail is all.
    var upload: String?
    var parts: [UploadedPart]
    var tail: [UInt8]
}

/// What a writer's successor needs. The unit of a sink's subtask.
struct WriterUnit: Hashable, Sendable {
    private static let version: UInt8 = 2

    /// Whose it is: another job that starts from it begins there. Nil: from before that was noted.
    var job: JobID?
    var checkpoint: CheckpointID = 0
    /// What the next file will say; its origin is the job's.
    var lineage = FileLineage()
    var files: [OpenFile] = []
    /// Folders that want a `_SUCCESS` file, and since when they are there (milliseconds since the epoch).
    var folders: [ExactText: Int64] = [:]

        var bytes: [UInt8] {
        var writer = ByteWriter(capacity: 256 + files.reduce(0) { $0 + $1.tail.count })
        writer.put(WriterUnit.version)
        writer.put(job.map { "\($0)" } ?? "")
        writer.put(checkpoint)
        writer.put(lineage)
        writer.putList(files) { writer, open in
            writer.put(open.file, hasLineage: false)
            writer.put(open.folder)
            writer.put(open.id)
            writer.put(open.upload ?? "")
            writer.putList(open.parts) { writer, part in writer.put(part) }
            writer.put(open.tail)
        }
        writer.putList(folders.sorted { $0.key < $1.key }) { writer, folder in
            writer.put(folder.key.text)
            writer.put(folder.value)
        }
        return writer.bytes
    }

    init(job: JobID?, checkpoint: CheckpointID, lineage: FileLineage, files: [OpenFile] = [], folders: [ExactText: Int64] = [:]) {
        self.job = job
        self.checkpoint = checkpoint
        self.lineage = lineage
        self.files = files
        self.folders = folders
    }

    init(_ unit: [UInt8]) throws(StreamError) {
        do throws(MalformedBytes) {
            self = try ByteReader.reading(unit) { reader throws(MalformedBytes) in
                let version = try reader.number(UInt8.self)
                guard version == 1 || version == WriterUnit.version else { throw MalformedBytes("another version") }
                let hasLineage = version == WriterUnit.version
                let job = hasLineage ? try reader.string() : ""
                let checkpoint = hasLineage ? try reader.number(CheckpointID.self) : 0
                let lineage = hasLineage ? try FileLineage(from: &reader) : FileLineage()
                let files = try reader.list { reader throws(MalformedBytes) in
                    let file = try FinishedFile(from: &reader, hasLineage: false)
                    let folder = try reader.string(), id = try reader.string(), upload = try reader.string()
                    let parts = try reader.list { reader throws(MalformedBytes) in try UploadedPart(from: &reader) }
                    return OpenFile(
                        file: file, folder: folder, id: id, upload: upload.isEmpty ? nil : upload, parts: parts, tail: try reader.run())
                }
                let folders = try reader.list { reader throws(MalformedBytes) in (ExactText(try reader.string()), try reader.number(Int64.self)) }
                try reader.end()
                return WriterUnit(
                    job: JobID(job), checkpoint: checkpoint, lineage: lineage, files: files, folders: Dictionary(folders) { first, _ in first })
            }
        } catch {
            throw StreamError(.internal, retry: false, "the state of a file sink is damaged: \(error)")
        }
    }
}

extension ByteWriter {
    /// `hasLineage`: not while it is open.
    mutating func put(_ file: FinishedFile, hasLineage: Bool = true) {
        put(file.path)
        put(file.checkpoint)
        put(file.bytes)
        put(file.rows)
        put(file.checksum)
        if hasLineage { put(file.lineage) }
    }

    mutating func put(_ lineage: FileLineage) {
        putList(lineage.after) { writer, path in writer.put(path) }
        put(lineage.origin ?? "")
    }

    mutating func put(_ part: UploadedPart) {
        put(UInt32(part.number))
        put(part.etag)
        put(part.checksum)
        put(Int64(part.bytes))
    }
}

extension FinishedFile {
    init(from reader: inout ByteReader, hasLineage: Bool) throws(MalformedBytes) {
        self.init(
            path: try reader.string(), checkpoint: try reader.number(), bytes: try reader.number(), rows: try reader.number(),
            checksum: try reader.number(), lineage: hasLineage ? try FileLineage(from: &reader) : FileLineage())
    }
}

extension FileLineage {
    init(from reader: inout ByteReader) throws(MalformedBytes) {
        let after = try reader.list { reader throws(MalformedBytes) in try reader.string() }
        let origin = try reader.string()
        self.init(after: after, origin: origin.isEmpty ? nil : origin)
    }
}

extension UploadedPart {
    init(from reader: inout ByteReader) throws(MalformedBytes) {
        self.init(
            number: Int(try reader.number(UInt32.self)), etag: try reader.string(), checksum: try reader.number(),
            bytes: Int(try reader.number(Int64.self)))
    }
}

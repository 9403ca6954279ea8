import CKernels
import Dataflow

/// A part file that is being written: rows collect as text in a buffer of 256 KiB, perhaps are compressed, and go to the file's body.
final class PartFile {
    static let bufferBytes = 256 << 10
    static let mostBufferBytes = bufferBytes + (64 << 10)

    /// Rows go here; `wrote` after each batch.
    let text = TextBuffer(capacity: PartFile.mostBufferBytes)
    let folder: String
    /// Nil: in the time of another attempt, and not asked for yet.
    private(set) var created: Instant?
    private(set) var lastWrite: Instant
    private let path: String
    let body: any PartBody
    private let gzip: GzipWriter?
    private let packed = TextBuffer()
    private var rows: Int64 = 0
    private var checksum: UInt32 = 0

    init(_ name: PartName, in folder: String, body: any PartBody, isCompressed: Bool, at now: Instant?) {
        self.folder = folder
        self.path = folder.isEmpty ? name.name : "\(folder)/\(name.name)"
        self.body = body
        self.gzip = isCompressed ? GzipWriter() : nil
        created = now
        lastWrite = now ?? .zero
    }

    /// How long it is there, and how long nothing was written.
    func ages(at now: Instant) -> (age: Duration, idle: Duration) {
        guard let created else {
            (self.created, lastWrite) = (now, now)
            return (.zero, .zero)
        }
        return (now - created, now - lastWrite)
    }

    /// Bytes of the file, what is still in the buffer included (not yet compressed).
    var length: Int64 { body.length + Int64(text.count) }

    /// In memory, the buffer included.
    var heldBytes: Int { body.heldBytes + text.capacity }

    var isFull: Bool { body.isFull }

    func wrote(rows: Int, at now: Instant) throws(StreamError) {
        self.rows += Int64(rows)
        lastWrite = now
        if text.count >= PartFile.bufferBytes { try flush(endsStretch: false) }
    }

    /// No row comes for a while: gives back the buffer, and what the body can do without.
    func rest() throws(StreamError) {
        try flush(endsStretch: false)
        text.release()
        body.rest()
    }

    /// Goes on where another attempt's file stopped: `file` says what its bytes are.
    func take(_ file: OpenFile) throws(StreamError) {
        try flush(endsStretch: true)
        try append(file.tail.count, file.tail.withUnsafeBufferPointer { $0.baseAddress })
        rows += file.file.rows
    }

    /// `endsStretch`: nothing that was written needs what follows to be read.
    private func flush(endsStretch: Bool) throws(StreamError) {
        defer { text.count = 0 }
        guard let gzip else { return try append(text.count, text.pointer) }
        gzip.write(text.pointer, text.count, to: packed)
        if endsStretch { gzip.endMember(to: packed) }
        defer { packed.count = 0 }
        try append(packed.count, packed.pointer)
    }

    private func append(_ count: Int, _ bytes: UnsafePointer<UInt8>?) throws(StreamError) {
        guard count > 0, let bytes else { return }
        checksum = swiftwater_crc32c(checksum, bytes, count)
        try body.append(bytes, count)
    }

    /// No row follows. `lineage` goes on with this file.
    func finish(_ lineage: inout FileLineage) throws(StreamError) -> Ended {
        try flush(endsStretch: true)
        var file = file(0)
        file.lineage = lineage
        lineage.after = [path]
        return try body.finish(file)
    }

    /// As it is, for a successor; nil: it has to be finished.
    func suspend(_ checkpoint: CheckpointID) throws(StreamError) -> Later<OpenFile>? {
        try flush(endsStretch: true)
        return try body.suspend(file(checkpoint))
    }

    private func file(_ checkpoint: CheckpointID) -> FinishedFile {
        FinishedFile(path: path, checkpoint: checkpoint, bytes: body.length, rows: rows, checksum: checksum)
    }
}

import Columnar
import Dataflow

/// An upload whose parts are all there, as a committable: it is still to be completed.
struct PendingUpload: Hashable, Sendable {
    private static let version: UInt8 = 17

    var key: String
    var upload: String
    /// The metadata by which the object will tell that it is this file (`PartUpload.idName`).
    var id: String
    var file: FinishedFile
    var parts: [UploadedPart]

    static func isOne(_ committable: Committable) -> Bool { committable.payload.first == version || committable.payload.first == 16 }

    var committable: Committable {
        var writer = ByteWriter()
        writer.put(PendingUpload.version)
        for text in [key, upload, id] { writer.put(text) }
        writer.put(file)
        writer.putList(parts) { writer, part in writer.put(part) }
        return Committable(id: id, payload: writer.bytes)
    }

    init(key: String, upload: String, id: String, file: FinishedFile, parts: [UploadedPart]) {
        self.key = key
        self.upload = upload
        self.id = id
        self.file = file
        self.parts = parts
    }

    init(_ committable: Committable) throws(StreamError) {
        do throws(MalformedBytes) {
            self = try ByteReader.reading(committable.payload) { reader throws(MalformedBytes) in
                let version = try reader.number(UInt8.self)
                guard version == 16 || version == PendingUpload.version else { throw MalformedBytes("another version") }
                let key = try reader.string(), upload = try reader.string(), id = try reader.string()
                let file = try FinishedFile(from: &reader, hasLineage: version == PendingUpload.version)
                let parts = try reader.list { reader throws(MalformedBytes) in try UploadedPart(from: &reader) }
                try reader.end()
                return PendingUpload(key: key, upload: upload, id: id, file: file, parts: parts)
            }
        } catch {
            throw StreamError(.user, retry: false, "\(committable.id) is no committable of files in a bucket: \(error)")
        }
    }

    /// Completes the upload. Done before, by whomever: nothing.
    func commit(to bucket: any Bucket) throws(BucketError) {
        do throws(BucketError) {
            try bucket.completeUpload(key, upload: upload, parts: parts)
        } catch {
            switch error.kind {
            case .noSuchUpload, .exists: try PendingUpload.prove(key, id, file, in: bucket)
            case .invalidPart:
                // Some stores forget a completed upload's parts before they forget the upload.
                guard let object = try bucket.head(key), object.metadata[PartUpload.idName] == id else { throw error }
                try PendingUpload.prove(key, id, file, in: bucket)
            case .notFound, .denied, .other: throw error
            }
        }
    }

    /// Throws unless the object is there and is this file.
    ///
    /// A longer one has this file's bytes in front: an attempt that went on from the same checkpoint completed it, and a restore chose
    /// to go back behind that. Nothing is lost; what it wrote since is there as well.
    static func prove(_ key: String, _ id: String, _ file: FinishedFile, in bucket: any Bucket) throws(BucketError) {
        let name = "\(bucket.uri)/\(key)"
        guard let object = try bucket.head(key) else {
            throw BucketError(
                .noSuchUpload,
                "\(name): its upload is gone and there is no such object: \(file.rows) rows are lost. A lifecycle rule of the bucket has probably removed the "
                    + "incomplete upload, or small files below \(SmallPart.folder); such rules must wait longer than the oldest checkpoint or savepoint that may be restored")
        }
        guard object.metadata[idKey] == id else {
            throw BucketError(.exists, "\(name): an object that this job did not write is there already; it is not written over")
        }
        guard Int64(object.bytes) >= file.bytes else {
            throw BucketError(
                .exists, "\(name) was completed with \(object.bytes) bytes, but this checkpoint holds \(file.bytes): another job was "
                    + "started from an older checkpoint of this one and ended the file there, and rows after that are lost. Savepoints, unlike checkpoints, "
                    + "may be gone on from by several jobs")
        }
    }

    private static var idKey: String { PartUpload.idName }
}

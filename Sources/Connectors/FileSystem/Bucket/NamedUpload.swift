import Dataflow

/// An upload that a checkpoint names, for whoever watches the protocol from outside.
package struct NamedUpload: Hashable, Sendable {
    package var upload: String
    package var parts: [UploadedPart]
    /// The object's key, and what its metadata will say. Nil: the file is still open.
    package var object: Object?

    package struct Object: Hashable, Sendable {
        package var key: String
        package var id: String
    }

    /// Nil for a committable that is no file in a bucket.
    package init?(_ committable: Committable) throws(StreamError) {
        guard PendingUpload.isOne(committable) else { return nil }
        let pending = try PendingUpload(committable)
        (upload, parts, object) = (pending.upload, pending.parts, Object(key: pending.key, id: pending.id))
    }

    private init(_ upload: String, _ parts: [UploadedPart]) { (self.upload, self.parts) = (upload, parts) }

    /// Those of the files that are open in a sink subtask's unit.
    package static func open(in unit: [UInt8]) throws(StreamError) -> [NamedUpload] {
        try WriterUnit(unit).files.compactMap { file in file.upload.map { NamedUpload($0, file.parts) } }
    }
}

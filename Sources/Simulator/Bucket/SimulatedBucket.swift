import Connectors
import Dataflow

/// The bucket itself, with S3's semantics: objects that appear whole, uploads of parts that may be replaced. Every change is told before anybody
/// is answered.
///
/// One thread runs a whole cluster.
final class SimulatedBucket: @unchecked Sendable {
    struct Upload {
        let key: String
        let metadata: [String: String]
        var parts: [Int: [UInt8]] = [:]
    }

    struct Object {
        let bytes: [UInt8]
        let metadata: [String: String]
    }

    private(set) var objects: [String: Object] = [:]
    private(set) var uploads: [String: Upload] = [:]
    /// Bytes of objects that were removed.
    private(set) var removed: [String: [UInt8]] = [:]
    /// Told of every change, as it happens.
    var watcher: (BucketChange) -> Void = { _ in }
    private var opened = 0

    func createUpload(_ key: String, _ metadata: [String: String]) -> String {
        opened += 1
        let id = "upload-\(opened)"
        uploads[id] = Upload(key: key, metadata: metadata)
        watcher(.opened(upload: id, key: key))
        return id
    }

    func uploadPart(_ upload: String, _ number: Int, _ bytes: [UInt8]) throws(BucketError) -> UploadedPart {
        guard uploads[upload] != nil else { throw BucketError(.noSuchUpload, "NoSuchUpload \(upload)") }
        uploads[upload]?.parts[number] = bytes
        let part = UploadedPart(number: number, etag: SimulatedBucket.etag(bytes), checksum: 0, bytes: bytes.count)
        watcher(.part(upload: upload, part))
        return part
    }

    func completeUpload(_ upload: String, _ parts: [UploadedPart]) throws(BucketError) {
        guard let open = uploads[upload] else { throw BucketError(.noSuchUpload, "NoSuchUpload \(upload)") }
        if objects[open.key] != nil { throw BucketError(.exists, "PreconditionFailed \(open.key)") }
        let bytes = try SimulatedBucket.bytes(open, parts)
        uploads[upload] = nil
        objects[open.key] = Object(bytes: bytes, metadata: open.metadata)
        watcher(.completed(upload: upload, key: open.key, parts, bytes))
    }

    func abortUpload(_ upload: String) {
        guard uploads.removeValue(forKey: upload) != nil else { return }
        watcher(.aborted(upload: upload))
    }

    func put(_ key: String, _ bytes: [UInt8]) {
        objects[key] = Object(bytes: bytes, metadata: [:])
        watcher(.put(key: key, bytes))
    }

    func delete(_ key: String) {
        guard let object = objects.removeValue(forKey: key) else { return }
        removed[key] = object.bytes
        watcher(.deleted(key: key))
    }

    /// What a completed upload would be, or is. Nil: it cannot be completed as it is named.
    func bytes(of named: NamedUpload) -> [UInt8]? {
        if let open = uploads[named.upload] { return try? SimulatedBucket.bytes(open, named.parts) }
        guard let object = named.object, let present = objects[object.key], present.metadata.values.contains(object.id) else { return nil }
        return present.bytes
    }

    private static func bytes(_ upload: Upload, _ parts: [UploadedPart]) throws(BucketError) -> [UInt8] {
        guard !parts.isEmpty, zip(parts, parts.dropFirst()).allSatisfy({ $0.number < $1.number }) else {
            throw BucketError(.other(retry: false), "MalformedXML: parts are named in order")
        }
        var bytes: [UInt8] = []
        for part in parts {
            guard let there = upload.parts[part.number], etag(there) == part.etag else { throw BucketError(.invalidPart, "InvalidPart \(part.number) of \(upload.key)") }
            bytes += there
        }
        return bytes
    }

    static func etag(_ bytes: [UInt8]) -> String {
        hex(bytes.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 })
    }
}

/// What happens in a bucket.
package enum BucketChange {
    case opened(upload: String, key: String)
    case part(upload: String, UploadedPart)
    case completed(upload: String, key: String, [UploadedPart], [UInt8])
    case aborted(upload: String)
    case put(key: String, [UInt8])
    case deleted(key: String)
}

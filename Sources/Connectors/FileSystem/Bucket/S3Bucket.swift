import AWS
import Dataflow
import Synchronization

/// A bucket of S3, or of what speaks its protocol.
struct S3Bucket: Bucket {
    let name: String
    let client: S3Client
    /// For so long what is denied is asked for again: changes of permissions take seconds.
    var patience = Duration.zero

    var uri: String { "s3://\(name)" }

    func createUpload(_ key: String, metadata: [String: String]) throws(BucketError) -> String {
        try wait { () async throws(AWSError) in try await client.createMultipartUpload(bucket: name, key: key, metadata: metadata) }
    }

    func uploadPart(_ key: String, upload: String, number: Int, _ bytes: [UInt8]) throws(BucketError) -> UploadedPart {
        let part = try wait { () async throws(AWSError) in
            try await client.uploadPart(bucket: name, key: key, uploadID: upload, number: number, body: bytes)
        }
        return UploadedPart(number: part.number, etag: part.etag, checksum: part.crc32c, bytes: part.sizeBytes)
    }

    func completeUpload(_ key: String, upload: String, parts: [UploadedPart]) throws(BucketError) {
        let parts = parts.map { S3Part(number: $0.number, etag: $0.etag, crc32c: $0.checksum, sizeBytes: $0.bytes) }
        _ = try wait { () async throws(AWSError) in
            try await client.completeMultipartUpload(bucket: name, key: key, uploadID: upload, parts: parts, condition: .ifNoneMatch)
        }
    }

    func abortUpload(_ key: String, upload: String) throws(BucketError) {
        try wait { () async throws(AWSError) in try await client.abortMultipartUpload(bucket: name, key: key, uploadID: upload) }
    }

    func openUploads(prefix: String) throws(BucketError) -> [(key: String, upload: String)] {
        let uploads = try wait { () async throws(AWSError) in try await client.listMultipartUploads(bucket: name, prefix: prefix) }
        return uploads.map { ($0.key, $0.uploadID) }
    }

    func put(_ key: String, _ bytes: [UInt8]) throws(BucketError) {
        _ = try wait { () async throws(AWSError) in try await client.put(bucket: name, key: key, body: bytes) }
    }

    func create(_ key: String, _ bytes: [UInt8]) throws(BucketError) {
        _ = try wait { () async throws(AWSError) in try await client.put(bucket: name, key: key, body: bytes, condition: .ifNoneMatch) }
    }

    func delete(_ key: String) throws(BucketError) {
        try wait { () async throws(AWSError) in try await client.delete(bucket: name, key: key) }
    }

    func get(_ key: String, _ range: Range<Int>?, ifMatch: String?) throws(BucketError) -> [UInt8] {
        try wait { () async throws(AWSError) in try await client.get(bucket: name, key: key, range: range, ifMatch: ifMatch) }.bytes
    }

    func head(_ key: String) throws(BucketError) -> BucketObject? {
        let head = try wait { () async throws(AWSError) in try await client.head(bucket: name, key: key) }
        return head.map { BucketObject(key: key, bytes: $0.sizeBytes, etag: $0.etag, metadata: $0.metadata) }
    }

    func list(prefix: String) throws(BucketError) -> [BucketObject] {
        let entries = try wait { () async throws(AWSError) in try await client.listAll(bucket: name, prefix: prefix) }
        return entries.map { BucketObject(key: $0.key, bytes: $0.sizeBytes, etag: $0.etag) }
    }

    private func wait<Value: Sendable>(_ work: @escaping @Sendable () async throws(AWSError) -> Value) throws(BucketError) -> Value {
        let patience = patience
        do throws(AWSError) {
            return try Blocking.wait { () async throws(AWSError) in
                let began = ContinuousClock.now
                while true {
                    do throws(AWSError) { return try await work() } catch {
                        guard error.kind == .denied, ContinuousClock.now - began < patience else { throw error }
                        try? await Task.sleep(for: .milliseconds(500))
                    }
                }
            }
        } catch { throw BucketError(error) }
    }
}

extension BucketError {
    fileprivate init(_ error: AWSError) {
        let kind: Kind =
            switch error.code {
            case "NoSuchUpload": .noSuchUpload
            case "PreconditionFailed": .exists
            case "InvalidPart", "InvalidPartOrder": .invalidPart
            case "NoSuchKey", "NoSuchBucket": .notFound
            case _ where error.kind == .denied && !error.wasAllowed: .denied
            default: .other(retry: error.retryable)
            }
        self.init(kind, error.description)
    }
}

extension Buckets {
    private static let clients = Mutex<[S3Configuration: S3Client]>([:])

    /// Of S3, as the process is configured, unless the table says otherwise. One client for each configuration.
    /// `patience`: with what is denied.
    package static func s3(_ general: S3Configuration = S3Configuration(), patience: Duration = .seconds(15)) -> Buckets {
        Buckets { (name, options) throws(StreamError) in
            var configuration = general
            if let region = options["aws.region"] { configuration.aws.region = region }
            if let endpoint = options["s3.endpoint"] ?? options["aws.endpoint"] { configuration.aws.endpoint = endpoint }
            if let isPathStyle = try Options("", options).flagIfThere("s3.path.style.access") { configuration.pathStyle = isPathStyle }
            return S3Bucket(name: name, client: client(configuration), patience: patience)
        }
    }

    private static func client(_ configuration: S3Configuration) -> S3Client {
        clients.withLock { clients in
            if let client = clients[configuration] { return client }
            let client = S3Client(configuration)
            clients[configuration] = client
            return client
        }
    }
}

import Dataflow

/// What the filesystem connector asks of an object store that has S3's semantics. Every call waits for its answer; callable from any thread.
/// Throttling and lost connections were already tried again below.
package protocol Bucket: Sendable {
    /// `s3://name`, for messages.
    var uri: String { get }

    /// The id of an upload; `metadata` will be the object's.
    func createUpload(_ key: String, metadata: [String: String]) throws(BucketError) -> String
    func uploadPart(_ key: String, upload: String, number: Int, _ bytes: [UInt8]) throws(BucketError) -> UploadedPart
    /// Makes the object of exactly these parts, in order of their numbers, unless there is an object of this name.
    func completeUpload(_ key: String, upload: String, parts: [UploadedPart]) throws(BucketError)
    func abortUpload(_ key: String, upload: String) throws(BucketError)
    func openUploads(prefix: String) throws(BucketError) -> [(key: String, upload: String)]

    func put(_ key: String, _ bytes: [UInt8]) throws(BucketError)
    /// Throws `.exists` when there is an object of this name; it may be the one that is put here, when the first try was not answered.
    func create(_ key: String, _ bytes: [UInt8]) throws(BucketError)
    /// One that is not there is fine.
    func delete(_ key: String) throws(BucketError)
    /// `ifMatch`: `.exists` when its ETag is another by now.
    func get(_ key: String, _ range: Range<Int>?, ifMatch: String?) throws(BucketError) -> [UInt8]
    /// Nil: there is no such object.
    func head(_ key: String) throws(BucketError) -> BucketObject?
    /// Sorted by the keys' bytes.
    func list(prefix: String) throws(BucketError) -> [BucketObject]
}

/// A part as the store has it: completing names its number and ETag.
package struct UploadedPart: Hashable, Sendable {
    /// 1 to 10,000.
    package var number: Int
    package var etag: String
    package var checksum: UInt32
    package var bytes: Int

    package init(number: Int, etag: String, checksum: UInt32, bytes: Int) {
        self.number = number
        self.etag = etag
        self.checksum = checksum
        self.bytes = bytes
    }
}

package struct BucketObject: Hashable, Sendable {
    package var key: String
    package var bytes: Int
    package var etag: String
    /// Only where one object was asked for.
    package var metadata: [String: String]

    package init(key: String, bytes: Int, etag: String, metadata: [String: String] = [:]) {
        self.key = key
        self.bytes = bytes
        self.etag = etag
        self.metadata = metadata
    }
}

package struct BucketError: Error, Hashable {
    package enum Kind: Hashable, Sendable {
        /// The upload was completed or aborted; which of both, only the object tells.
        case noSuchUpload
        /// An object of this name is there, or another one than was meant.
        case exists
        /// A part is not the one named, or is not there.
        case invalidPart
        case notFound
        /// It was never allowed to do this.
        case denied
        /// Whatever else the store or the way to it has.
        case other(retry: Bool)
    }

    package var kind: Kind
    package var message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// What is gone or stands in the way stays so until somebody looks at the bucket: such a job ends. Everything else may be over soon.
    package var streamError: StreamError {
        if case .other(let retry) = kind { return StreamError(.externalSystem, retry: retry, message) }
        return StreamError(.user, retry: false, message)
    }
}

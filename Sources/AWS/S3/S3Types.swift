/// What a user may set about S3.
package struct S3Configuration: Hashable, Sendable {
    package enum Encryption: Hashable, Sendable {
        /// SSE-S3.
        case s3
        /// SSE-KMS; nil: the bucket's or account's key.
        case kms(keyID: String?)
    }

    package var aws: AWSConfiguration
    /// `https://endpoint/bucket/key` instead of `https://bucket.endpoint/key`. Nil: where the endpoint's name allows no other, and for buckets with dots over TLS.
    package var pathStyle: Bool?
    /// Nil: as the bucket has it.
    package var encryption: Encryption?

    package init(_ aws: AWSConfiguration = AWSConfiguration(), pathStyle: Bool? = nil, encryption: Encryption? = nil) {
        (self.aws, self.pathStyle, self.encryption) = (aws, pathStyle, encryption)
    }
}

/// ETags are without their quotes everywhere in this API.
package enum S3Condition: Hashable, Sendable {
    case none
    /// No object of this name yet. Else the error is `.conflict`.
    case ifNoneMatch
    /// The object is still the one with this ETag. Else the error is `.conflict`, or `.notFound` when there is none.
    case ifMatch(String)
}

package struct S3Object: Hashable, Sendable {
    package let bytes: [UInt8]
    package let etag: String
    /// Of the whole object, also where only a range was asked for.
    package let sizeBytes: Int
}

package struct S3Head: Hashable, Sendable {
    package let sizeBytes: Int
    package let etag: String
    /// Names in lower case, without `x-amz-meta-`.
    package let metadata: [String: String]

    package init(sizeBytes: Int, etag: String, metadata: [String: String] = [:]) {
        (self.sizeBytes, self.etag, self.metadata) = (sizeBytes, etag, metadata)
    }
}

package struct S3Entry: Hashable, Sendable {
    package let key: String
    package let sizeBytes: Int
    package let etag: String

    package init(key: String, sizeBytes: Int, etag: String) {
        (self.key, self.sizeBytes, self.etag) = (key, sizeBytes, etag)
    }
}

/// One page of a listing, sorted by the keys' bytes.
package struct S3Page: Hashable, Sendable {
    package let entries: [S3Entry]
    /// With a delimiter: what the keys left out have in common, delimiter included.
    package let commonPrefixes: [String]
    /// For the next page; nil at the end.
    package let next: String?
}

package struct S3Part: Hashable, Sendable {
    /// 1 to 10,000.
    package let number: Int
    package let etag: String
    package let crc32c: UInt32
    package let sizeBytes: Int

    package init(number: Int, etag: String, crc32c: UInt32, sizeBytes: Int) {
        (self.number, self.etag, self.crc32c, self.sizeBytes) = (number, etag, crc32c, sizeBytes)
    }
}

package struct S3Upload: Hashable, Sendable {
    package let key: String
    package let uploadID: String
    /// ISO 8601, as S3 gives it.
    package let initiated: String
}

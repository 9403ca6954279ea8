/// How AWS's services are reached. Each of Flink's spellings is read: `s3.`, `s3a.` and Hadoop's `fs.s3a.` in front of the same names.
package enum S3Options {
    package static let endpoint = ConfigKey<String?>(
        "s3.endpoint", nil, formerly: spellings("endpoint"),
        "URL of S3 or of what speaks its protocol; without it AWS_ENDPOINT_URL_S3, then AWS in the region.")
    package static let region = ConfigKey<String?>(
        "s3.region", nil, formerly: ["s3.endpoint.region"] + spellings("region", "endpoint.region"),
        "Region of S3; without it aws.region, AWS_REGION, the profile's, the instance's.")
    package static let accessKey = ConfigKey<String?>(
        "s3.access-key", nil, formerly: ["s3.access.key"] + spellings("access-key", "access.key"),
        "Access key for S3; without it, the credentials that every AWS tool would find.")
    package static let secretKey = ConfigKey<String?>(
        "s3.secret-key", nil, formerly: ["s3.secret.key"] + spellings("secret-key", "secret.key"), "Secret key that belongs to s3.access-key.")
    package static let sessionToken = ConfigKey<String?>(
        "s3.session-token", nil, formerly: ["s3.session.token"] + spellings("session-token", "session.token"),
        "Session token, when s3.access-key is a temporary one.")
    package static let pathStyle = ConfigKey<Bool?>(
        "s3.path.style.access", nil, formerly: ["s3.path-style-access"] + spellings("path.style.access", "path-style-access"),
        "Whether the bucket stands in the path instead of the host's name; without it, where the endpoint is an address or localhost.")
    package static let encryption = ConfigKey<S3Encryption?>(
        "s3.sse.type", nil,
        formerly: ["s3.server-side-encryption-algorithm", "s3.encryption.algorithm"] + spellings("server-side-encryption-algorithm", "encryption.algorithm"),
        "Encryption that is asked of S3 for each object; without it, the bucket's.")
    package static let encryptionKey = ConfigKey<String?>(
        "s3.sse.kms.key-id", nil,
        formerly: ["s3.server-side-encryption.key", "s3.encryption.key"] + spellings("server-side-encryption.key", "encryption.key"),
        "Key of SSE-KMS; without it, the account's own.")
    package static let attempts = ConfigKey(
        "s3.attempts.maximum", 10, formerly: spellings("attempts.maximum"), atLeast: 1,
        "How often a request is sent before its failure counts, the first time included.")
    package static let concurrency = ConfigKey(
        "s3.upload.max.concurrent.uploads", 8, formerly: spellings("upload.max.concurrent.uploads"), atLeast: 1,
        "How many parts of one large object are on their way at once.")

    static let all: [any AnyConfigKey] = [
        endpoint, region, accessKey, secretKey, sessionToken, pathStyle, encryption, encryptionKey, attempts, concurrency,
    ]

    private static func spellings(_ names: String...) -> [String] { names.flatMap { ["s3a.\($0)", "fs.s3a.\($0)"] } }
}

package enum S3Encryption: String, ConfigChoice {
    case sseS3 = "SSE-S3"
    case sseKMS = "SSE-KMS"

    package static var aliases: [String: S3Encryption] { ["aes256": .sseS3, "aws:kms": .sseKMS] }
}

package enum AWSOptions {
    package static let region = ConfigKey<String?>(
        "aws.region", nil, "Region of every AWS service; without it AWS_REGION, AWS_DEFAULT_REGION, the profile's, the instance's.")
    package static let profile = ConfigKey<String?>("aws.profile", nil, "Profile of the shared AWS files; without it AWS_PROFILE, then default.")

    static let all: [any AnyConfigKey] = [region, profile]
}

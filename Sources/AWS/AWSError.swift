/// What an AWS call could not do: which call, what the service said, whose matter it is, and what may have happened all the same.
///
/// Never holds a secret: messages are the service's own words or ours, and requests are not repeated in them.
package struct AWSError: Error, Hashable, Sendable {
    /// Whose matter it is, and so what to do about it.
    package enum Kind: Hashable, Sendable {
        /// No credentials were found, or they are wrong or expired: whoever runs the process.
        case credentials
        /// The credentials are good and not allowed to do this: whoever grants permissions.
        case denied
        /// The bucket, object, stream or upload does not exist.
        case notFound
        /// A precondition of the call does not hold (409, 412): somebody else was first.
        case conflict
        /// The service asks for fewer requests.
        case throttled
        /// A region, endpoint, name or file that cannot be right: whoever configures.
        case configuration
        /// The service refuses the request as such.
        case request
        /// The service failed (5xx), or gave an answer that cannot be read.
        case service
        /// The service could not be reached, or the connection broke.
        case connection
        /// No answer in time.
        case timeout
        /// Whoever waited has stopped waiting.
        case cancelled
    }

    /// `S3 PutObject s3://bucket/key`.
    package var operation: String
    /// HTTP status; nil when there was no answer.
    package var status: Int?
    /// The service's code (`NoSuchKey`), or ours (`ConnectFailed`).
    package var code: String
    package var message: String
    package var requestID: String?
    package var kind: Kind
    /// True when the call, or an earlier attempt of it that was answered too late or not at all, may have taken effect.
    package var mayHaveHappened: Bool
    /// Of a denied call: the same action was allowed before, in this process.
    package var wasAllowed = false
    /// The region that the service says is the right one.
    package var region: String?

    package init(
        _ kind: Kind, _ operation: String, code: String, _ message: String, status: Int? = nil, requestID: String? = nil,
        mayHaveHappened: Bool = false, region: String? = nil
    ) {
        (self.kind, self.operation, self.code, self.message, self.status) = (kind, operation, code, message, status)
        (self.requestID, self.mayHaveHappened, self.region) = (requestID, mayHaveHappened, region)
    }

    /// True when the same call may succeed later without anybody changing anything.
    package var retryable: Bool {
        switch kind {
        case .throttled, .service, .connection, .timeout: true
        case .conflict: code == "ConditionalRequestConflict" || code == "OperationAborted"
        case .credentials, .denied, .notFound, .configuration, .request, .cancelled: false
        }
    }
}

extension AWSError: CustomStringConvertible {
    package var description: String {
        var text = "\(operation): \(code)"
        if let status { text += " (\(status))" }
        if !message.isEmpty { text += ": \(message)" }
        if !text.hasSuffix("."), !text.hasSuffix("?") { text += "." }
        if let advice { text += " \(advice)." }
        if let requestID { text += " Request id \(requestID)." }
        return text
    }

    /// What to do, for people.
    private var advice: String? {
        switch (kind, code) {
        case (_, "InvalidAccessKeyId"), (_, "UnrecognizedClientException"), (_, "InvalidClientTokenId"):
            "The access key is not known to this service: check which credentials the process is given"
        case (_, "SignatureDoesNotMatch"), (_, "InvalidSignatureException"): "The secret key does not belong to the access key, or the region is wrong"
        case (_, "ExpiredToken"), (_, "ExpiredTokenException"): "The credentials have expired and nothing gave newer ones"
        case (_, "RequestTimeTooSkewed"): "This machine's clock is wrong"
        case (_, "NoSuchBucket"): "Create the bucket, or correct its name"
        case (_, "NoSuchUpload"): "The upload was completed or removed (a lifecycle rule of the bucket?)"
        case (.denied, _): "The credentials are valid but not permitted to do this: an administrator's matter"
        case (.throttled, _): "The service asks for fewer requests"
        default: nil
        }
    }
}

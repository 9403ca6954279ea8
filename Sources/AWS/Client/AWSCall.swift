/// One call as `AWSClient` carries it out, perhaps in several attempts.
package struct AWSCall: Sendable {
    /// For errors: `S3 PutObject s3://bucket/key`.
    package var operation: String
    package var service: AWSService
    package var region: String
    package var request: HTTPRequest
    package var isSigned = true
    /// What the signature says about the body.
    package var payloadHash: String
    package var retries = RetryPolicy()
    /// What permissions are given for: the operation and where it is carried out. Nil: nobody asks whether it was ever allowed.
    package var action: String?
    /// Statuses outside 200–299 that are answers, not errors.
    package var alsoGood: Set<Int> = []
    /// Finds the error in an answer whose status says success.
    package var check: (@Sendable (HTTPResponse) -> AWSError?)?

    /// The body is hashed for the signature unless a hash is given.
    package init(_ operation: String, _ service: AWSService, region: String, _ request: HTTPRequest, payloadHash: String? = nil) {
        (self.operation, self.service, self.region, self.request) = (operation, service, region, request)
        self.payloadHash = payloadHash ?? Hex.encode(request.body.withUnsafeReadableBytes { Digest.sha256($0) })
    }
}

/// Reads what a service says when it refuses: XML (S3, STS) or JSON (Kinesis).
enum ErrorAnswer {
    static func error(_ response: HTTPResponse, operation: String) -> AWSError {
        var code = response.header("x-amzn-errortype").map { String($0.prefix { $0 != ":" }) } ?? ""
        var message = ""
        var requestID = response.header("x-amz-request-id") ?? response.header("x-amzn-requestid")
        var region = response.header("x-amz-bucket-region")
        let body = response.body
        let first = body.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        if first == UInt8(ascii: "<"), let root = XML.parse(body) {
            if let error = root.name == "Error" ? root : root.first("Error") ?? root.first("Errors")?.first("Error") {
                code = error.text("Code") ?? code
                message = error.text("Message") ?? ""
                requestID = requestID ?? error.text("RequestId")
                region = region ?? error.text("Region")
                if let endpoint = error.text("Endpoint") { message += " The endpoint is \(endpoint)." }
            }
            requestID = requestID ?? root.text("RequestId")
        } else if first == UInt8(ascii: "{"), let json = JSON(body) {
            if let type = (json["__type"] ?? json["code"] ?? json["Code"])?.text, code.isEmpty {
                code = String(type.split(separator: "#").last ?? "")
            }
            message = (json["message"] ?? json["Message"])?.text ?? ""
        }
        if code.isEmpty { code = Self.code(ofStatus: response.status) }
        let kind = kind(code, status: response.status)
        // A server that says it is too busy has done nothing; any other failure of its own leaves that open.
        let mayHaveHappened = kind == .service && response.status != 501
        return AWSError(
            kind, operation, code: code, message, status: response.status, requestID: requestID, mayHaveHappened: mayHaveHappened, region: region)
    }

    /// Answers to HEAD have no body.
    private static func code(ofStatus status: Int) -> String {
        switch status {
        case 301, 307: "PermanentRedirect"
        case 400: "BadRequest"
        case 403: "AccessDenied"
        case 404: "NotFound"
        case 409: "Conflict"
        case 412: "PreconditionFailed"
        case 429: "TooManyRequests"
        case 500: "InternalError"
        default: "HTTP\(status)"
        }
    }

    private static let throttled: Set<String> = [
        "BandwidthLimitExceeded", "EC2ThrottledException", "KMSThrottlingException", "LimitExceededException", "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled", "RequestThrottledException", "ServiceUnavailable",
        "SlowDown", "ThrottledException", "Throttling", "ThrottlingException", "TooManyRequests", "TooManyRequestsException",
    ]
    private static let credentials: Set<String> = [
        "AuthFailure", "ExpiredToken", "ExpiredTokenException", "IncompleteSignature", "IncompleteSignatureException", "InvalidAccessKeyId",
        "InvalidClientTokenId", "InvalidIdentityToken", "InvalidSignatureException", "InvalidToken", "MissingAuthenticationToken",
        "MissingAuthenticationTokenException", "RequestExpired", "RequestTimeTooSkewed", "SignatureDoesNotMatch", "UnrecognizedClientException",
    ]
    private static let configuration: Set<String> = [
        "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "InvalidBucketName", "PermanentRedirect", "Redirect", "TemporaryRedirect",
    ]

    private static func kind(_ code: String, status: Int) -> AWSError.Kind {
        if throttled.contains(code) { return .throttled }
        if credentials.contains(code) { return .credentials }
        if configuration.contains(code) { return .configuration }
        switch code {
        case "RequestTimeout", "RequestTimeoutException", "IDPCommunicationError": return .timeout
        case "InternalError", "InternalFailure", "InternalServerError", "InternalFailureException", "KMSInternalException": return .service
        case "AccessDenied", "AccessDeniedException", "AllAccessDisabled", "KMSAccessDeniedException", "Forbidden": return .denied
        case "ResourceNotFoundException", "NoSuchKey", "NoSuchBucket", "NoSuchUpload": return .notFound
        case "ResourceInUseException", "PreconditionFailed", "ConditionalRequestConflict": return .conflict
        default: break
        }
        switch status {
        case 301, 302, 307, 308: return .configuration
        case 401, 403: return .denied
        case 404: return .notFound
        case 408: return .timeout
        case 409, 412: return .conflict
        case 429: return .throttled
        case 500...: return .service
        default: return .request
        }
    }
}

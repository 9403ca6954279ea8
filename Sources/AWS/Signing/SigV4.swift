import Synchronization

/// AWS Signature Version 4. Source: "Signature Version 4 signing process", AWS General Reference; S3's variations from its API reference.
package enum SigV4 {
    /// The hash that stands for a body which is not signed; only over TLS.
    package static let unsignedPayload = "UNSIGNED-PAYLOAD"

    /// Headers that change on their way, or that the transport sets.
    private static let unsignedHeaders: Set<String> = [
        "authorization", "connection", "content-length", "expect", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "x-amzn-trace-id",
    ]

    /// Adds `host`, `x-amz-date`, the session token, and `authorization`. `request.path` is signed as it is (S3); other services' paths are `/`.
    package static func sign(
        _ request: inout HTTPRequest, _ credentials: Credentials, region: String, service: String, payloadHash: String, at time: UnixTime
    ) {
        let stamp = time.basic
        let scope = "\(stamp.prefix(8))/\(region)/\(service)/aws4_request"
        request.set("host", request.endpoint.authority)
        request.set("x-amz-date", stamp)
        request.set("x-amz-security-token", credentials.sessionToken)
        let (canonical, signedHeaders) = canonicalRequest(request, payloadHash: payloadHash)
        let toSign = "AWS4-HMAC-SHA256\n\(stamp)\n\(scope)\n\(Hex.encode(Digest.sha256(Array(canonical.utf8))))"
        let key = signingKey(credentials.secretKey, day: String(stamp.prefix(8)), region: region, service: service)
        let signature = Hex.encode(Digest.hmacSHA256(key: key, Array(toSign.utf8)))
        request.set(
            "authorization", "AWS4-HMAC-SHA256 Credential=\(credentials.accessKey)/\(scope), SignedHeaders=\(signedHeaders), Signature=\(signature)")
    }

    static func canonicalRequest(_ request: HTTPRequest, payloadHash: String) -> (text: String, signedHeaders: String) {
        // Values of one name stay in their order.
        let headers = request.headers.enumerated().filter { !unsignedHeaders.contains($0.element.name) }
            .sorted { ($0.element.name, $0.offset) < ($1.element.name, $1.offset) }.map(\.element)
        var names = "", lines = "", last: String?
        for header in headers {
            if header.name == last {
                lines.removeLast()
                lines += ","
            } else {
                if last != nil { names += ";" }
                names += header.name
                lines += header.name
                lines += ":"
                last = header.name
            }
            lines += trimmed(header.value)
            lines += "\n"
        }
        return ("\(request.method)\n\(request.path)\n\(request.encodedQuery)\n\(lines)\n\(names)\n\(payloadHash)", names)
    }

    /// What a signing key is for.
    private struct KeyUse: Hashable {
        var secret: String
        var day: String
        var region: String
        var service: String
    }

    /// Good for a day: four of the five digests of a signature.
    private static let keys = Mutex<[KeyUse: [UInt8]]>([:])

    private static func signingKey(_ secret: String, day: String, region: String, service: String) -> [UInt8] {
        let use = KeyUse(secret: secret, day: day, region: region, service: service)
        if let key = keys.withLock({ $0[use] }) { return key }
        let key = [day, region, service, "aws4_request"].reduce(Array(("AWS4" + secret).utf8)) { key, part in
            Digest.hmacSHA256(key: key, Array(part.utf8))
        }
        keys.withLock { keys in
            // Temporary credentials come and go.
            if keys.count >= 16 { keys = [:] }
            keys[use] = key
        }
        return key
    }

    /// Without spaces at the ends, and runs of them as one.
    private static func trimmed(_ value: String) -> String {
        let bytes = value.utf8
        let isTrimmed = bytes.first != 0x20 && bytes.last != 0x20 && !bytes.contains(0x09) && !zip(bytes, bytes.dropFirst()).contains { $0 == 0x20 && $1 == 0x20 }
        if isTrimmed { return value }
        return value.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
    }
}

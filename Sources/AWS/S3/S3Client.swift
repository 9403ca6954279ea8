import CKernels
import NIOCore
import Synchronization

/// Amazon S3 and what speaks its protocol: objects, listings, multipart uploads. Everything uploaded carries its CRC-32C.
///
/// Retries, throttling and other regions are taken care of below; an error is final, and `mayHaveHappened` covers every attempt.
package final class S3Client: Sendable {
    package let configuration: S3Configuration
    package let aws: AWSClient
    /// Of buckets that are not where they were looked for.
    private let regions = Mutex<[String: String]>([:])

    package init(_ configuration: S3Configuration = S3Configuration(), surroundings: Surroundings = .machine) {
        self.configuration = configuration
        aws = AWSClient(configuration.aws, surroundings: surroundings)
    }

    // MARK: Objects

    /// The ETag. At most 5 GiB.
    package func put(
        bucket: String, key: String, body: ByteBuffer, condition: S3Condition = .none, metadata: [String: String] = [:]
    ) async throws(AWSError) -> String {
        let answer = try await perform("PutObject", "PUT", bucket, key, body: body) { request in
            self.describe(&request, metadata)
            request.set("x-amz-checksum-crc32c", Checksum.text(Checksum.crc32c(body)))
            Self.demand(&request, condition)
        }
        return try etag(answer, "PutObject", bucket, key)
    }

    package func put(
        bucket: String, key: String, body: [UInt8], condition: S3Condition = .none, metadata: [String: String] = [:]
    ) async throws(AWSError) -> String {
        try await put(bucket: bucket, key: key, body: ByteBuffer(bytes: body), condition: condition, metadata: metadata)
    }

    /// The whole object, or what it has of `range`; a range that begins behind its end is the error `InvalidRange`. Throws `.notFound`.
    /// `ifMatch`: throws `.conflict` when it is another by now.
    package func get(bucket: String, key: String, range: Range<Int>? = nil, ifMatch: String? = nil) async throws(AWSError) -> S3Object {
        let limit = range.map { $0.count + 65_536 } ?? Int.max
        let answer = try await perform("GetObject", "GET", bucket, key) { request in
            if let range { request.set("range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)") }
            if let ifMatch { request.set("if-match", "\"\(ifMatch)\"") }
            request.answerLimitBytes = limit
        }
        let total = answer.header("content-range").flatMap { $0.split(separator: "/").last }.flatMap { Int($0) }
        return S3Object(bytes: answer.body, etag: try etag(answer, "GetObject", bucket, key), sizeBytes: total ?? answer.body.count)
    }

    /// Nil when there is no such object.
    package func head(bucket: String, key: String) async throws(AWSError) -> S3Head? {
        let answer = try await perform("HeadObject", "HEAD", bucket, key) { _ in } alsoGood: { [404] }
        if answer.status == 404 { return nil }
        let prefix = "x-amz-meta-"
        let metadata = answer.headers.filter { $0.name.hasPrefix(prefix) }.map { (String($0.name.dropFirst(prefix.count)), $0.value) }
        return S3Head(
            sizeBytes: answer.header("content-length").flatMap { Int($0) } ?? 0, etag: try etag(answer, "HeadObject", bucket, key),
            metadata: Dictionary(metadata) { first, _ in first })
    }

    /// An object that does not exist is fine.
    package func delete(bucket: String, key: String) async throws(AWSError) {
        do throws(AWSError) {
            _ = try await perform("DeleteObject", "DELETE", bucket, key) { _ in }
        } catch {
            if error.code != "NoSuchKey" { throw error }
        }
    }

    // MARK: What all calls share

    /// Sends the request that `fill` completes, to wherever the bucket is.
    func perform(
        _ name: String, _ method: String, _ bucket: String, _ key: String?, query: [(name: String, value: String)] = [], body: ByteBuffer = ByteBuffer(),
        _ fill: (inout HTTPRequest) -> Void = { _ in }, alsoGood: () -> Set<Int> = { [] }, check: (@Sendable (HTTPResponse) -> AWSError?)? = nil
    ) async throws(AWSError) -> HTTPResponse {
        let operation = "S3 \(name) s3://\(bucket)" + (key.map { "/\($0)" } ?? "")
        var region: String
        if let known = regions.withLock({ $0[bucket] }) { region = known } else { region = try await aws.region(for: .s3) }
        var isSecondRegion = false
        while true {
            let endpoint = try aws.endpoint(.s3, region: region)
            var request = address(bucket, key, at: endpoint, method)
            request.query = query
            request.body = body
            // A slow line: at least 512 KiB a second are expected.
            request.timeout = .seconds(30 + Double(body.readableBytes) / Double(512 << 10))
            fill(&request)
            let isHashed = !endpoint.isTLS || body.readableBytes == 0
            let hash = isHashed ? Hex.encode(body.withUnsafeReadableBytes { Digest.sha256($0) }) : SigV4.unsignedPayload
            request.set("x-amz-content-sha256", hash)
            var call = AWSCall(operation, .s3, region: region, request, payloadHash: hash)
            call.retries = configuration.aws.retries
            call.alsoGood = alsoGood()
            call.check = check
            // Policies often are for folders.
            call.action = "\(name) \(bucket)/\(key.map { $0.prefix { $0 != "/" } } ?? "")"
            do throws(AWSError) {
                return try await aws.send(call)
            } catch {
                guard let other = error.region, other != region, !isSecondRegion, error.kind == .configuration || error.status == 400 || error.status == 301
                else { throw explained(error, region: region) }
                region = other
                isSecondRegion = true
                regions.withLock { $0[bucket] = other }
            }
        }
    }

    private func address(_ bucket: String, _ key: String?, at endpoint: Endpoint, _ method: String) -> HTTPRequest {
        let isPath = configuration.pathStyle ?? (endpoint.isBare || (endpoint.isTLS && bucket.contains(".")))
        var endpoint = endpoint
        var path = endpoint.basePath
        if isPath { path += "/" + PercentEncoding.encode(bucket) } else { endpoint.host = bucket + "." + endpoint.host }
        path += "/" + PercentEncoding.encode(key ?? "", keeping: "/")
        // A bucket itself in path style is `/bucket`.
        if key == nil, isPath { path.removeLast() }
        return HTTPRequest(method, endpoint, path: path)
    }

    private func explained(_ error: AWSError, region: String) -> AWSError {
        guard error.kind == .configuration, error.code.contains("Redirect") || error.code == "AuthorizationHeaderMalformed" else { return error }
        var error = error
        error.message += " The bucket is not in region \(region)\(error.region.map { " but in \($0)" } ?? ""): set s3.region or s3.endpoint."
        return error
    }

    /// Headers of a new object.
    func describe(_ request: inout HTTPRequest, _ metadata: [String: String]) {
        for (name, value) in metadata.sorted(by: { $0.key < $1.key }) { request.set("x-amz-meta-" + name.lowercased(), value) }
        switch configuration.encryption {
        case nil: break
        case .s3: request.set("x-amz-server-side-encryption", "AES256")
        case .kms(let keyID):
            request.set("x-amz-server-side-encryption", "aws:kms")
            request.set("x-amz-server-side-encryption-aws-kms-key-id", keyID)
        }
    }

    static func demand(_ request: inout HTTPRequest, _ condition: S3Condition) {
        switch condition {
        case .none: break
        case .ifNoneMatch: request.set("if-none-match", "*")
        case .ifMatch(let etag): request.set("if-match", "\"\(etag)\"")
        }
    }

    func etag(_ answer: HTTPResponse, _ name: String, _ bucket: String, _ key: String) throws(AWSError) -> String {
        guard let etag = answer.header("etag") else {
            throw AWSError(
                .service, "S3 \(name) s3://\(bucket)/\(key)", code: "UnreadableAnswer", "the answer has no ETag", status: answer.status, mayHaveHappened: true)
        }
        return unquoted(etag)
    }
}

func unquoted(_ etag: String) -> String {
    etag.count >= 2 && etag.hasPrefix("\"") && etag.hasSuffix("\"") ? String(etag.dropFirst().dropLast()) : etag
}

/// CRC-32C, as S3 writes it.
package enum Checksum {
    package static func crc32c(_ body: ByteBuffer) -> UInt32 {
        body.withUnsafeReadableBytes { swiftwater_crc32c(0, $0.baseAddress, $0.count) }
    }

    /// Base64 of its four bytes, the highest first.
    package static func text(_ crc: UInt32) -> String {
        Base64.encode([UInt8(crc >> 24), UInt8(crc >> 16 & 255), UInt8(crc >> 8 & 255), UInt8(crc & 255)])
    }

    static func value(_ text: String) -> UInt32? {
        guard let bytes = Base64.decode(text.utf8), bytes.count == 4 else { return nil }
        return bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }
}

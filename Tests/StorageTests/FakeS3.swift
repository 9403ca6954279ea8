import AWS
import NIOCore
import Storage
import Synchronization

/// S3's promises about objects, conditions, ranges and multipart uploads, without a server; and the two ways in which an answer can be lost.
final class FakeS3: Sendable {
    enum Fault {
        /// The request never arrives, and the client cannot know.
        case lost
        /// It is carried out, and its answer is lost.
        case answerLost
    }

    private struct Object {
        var bytes: [UInt8]
        var etag: String
        var metadata: [(name: String, value: String)]
    }

    private struct State {
        var objects: [String: Object] = [:]
        var uploads: [String: (metadata: [(name: String, value: String)], parts: [Int: [UInt8]])] = [:]
        var number = 0
        var log: [String] = []
    }

    private let state = Mutex(State())
    private let fault: @Sendable (HTTPRequest, Int) -> Fault?

    /// `fault` is given a request and how many came before it.
    init(fault: @escaping @Sendable (HTTPRequest, Int) -> Fault? = { _, _ in nil }) { self.fault = fault }

    /// Methods, and `?` behind those of multipart uploads, in order.
    var log: [String] { state.withLock { $0.log } }
    var openUploads: Int { state.withLock { $0.uploads.count } }

    func overwrite(_ key: String, _ bytes: [UInt8]) { _ = state.withLock { Self.store(bytes, [], key, &$0) } }

    func store(prefix: String = "some/folder", partBytes: Int = S3Store.partBytes) -> S3Store {
        let credentials = Credentials(accessKey: "A", secretKey: "s", origin: "the test")
        let configuration = S3Configuration(AWSConfiguration(region: "eu-west-1", endpoint: "http://127.0.0.1:1", credentials: credentials))
        return S3Store(client: S3Client(configuration, surroundings: surroundings), bucket: "bucket", prefix: prefix, partBytes: partBytes)
    }

    private var surroundings: Surroundings {
        Surroundings(
            variable: { _ in nil }, file: { _ in nil },
            open: { (request: HTTPRequest) async throws(HTTPFailure) in
                let before = self.state.withLock { state in
                    state.log.append(request.method + (request.query.contains { $0.name == "uploadId" || $0.name == "uploads" } ? "?" : ""))
                    return state.log.count - 1
                }
                let fault = self.fault(request, before)
                if case .lost = fault { throw HTTPFailure(.timeout, "no answer in time", mayHaveArrived: true) }
                let response = self.state.withLock { Self.answer(request, &$0) }
                if case .answerLost = fault { throw HTTPFailure(.timeout, "no answer in time", mayHaveArrived: true) }
                let rest = Mutex<ByteBuffer?>(response.body.isEmpty ? nil : ByteBuffer(bytes: response.body))
                return HTTPAnswer(
                    status: response.status, headers: response.headers,
                    body: ByteChunks { () async throws(HTTPFailure) in
                        rest.withLock { rest in
                            defer { rest = nil }
                            return rest
                        }
                    })
            },
            now: { UnixTime(seconds: 1_800_000_000) }, elapsed: { .zero }, sleep: { _ in }, random: { 0.5 })
    }

    // MARK: The server

    private static func answer(_ request: HTTPRequest, _ state: inout State) -> HTTPResponse {
        let key = PercentEncoding.decode(String(request.path.dropFirst("/bucket/".count)))
        func query(_ name: String) -> String? { request.query.first { $0.name == name }?.value }
        let body = [UInt8](request.body.readableBytesView)
        switch request.method {
        case "PUT":
            if let upload = query("uploadId"), let number = query("partNumber").flatMap({ Int($0) }) {
                guard state.uploads[upload] != nil else { return error(404, "NoSuchUpload") }
                state.uploads[upload]?.parts[number] = body
                return HTTPResponse(status: 200, headers: [("etag", "\"part-\(number)\"")])
            }
            if let refusal = refusal(request, key, state) { return refusal }
            return HTTPResponse(status: 200, headers: [("etag", "\"\(store(body, metadata(request), key, &state))\"")])
        case "POST":
            guard let upload = query("uploadId") else {
                state.number += 1
                state.uploads["upload-\(state.number)"] = (metadata(request), [:])
                return xml("<InitiateMultipartUploadResult><UploadId>upload-\(state.number)</UploadId></InitiateMultipartUploadResult>")
            }
            guard let open = state.uploads[upload] else { return error(404, "NoSuchUpload") }
            if let refusal = refusal(request, key, state) { return refusal }
            let numbers = XML.parse(body)?.all("Part").compactMap { $0.text("PartNumber").flatMap { Int($0) } } ?? []
            state.uploads[upload] = nil
            let etag = store(numbers.flatMap { open.parts[$0] ?? [] }, open.metadata, key, &state)
            return xml("<CompleteMultipartUploadResult><ETag>\"\(etag)\"</ETag></CompleteMultipartUploadResult>")
        case "DELETE":
            if let upload = query("uploadId") { state.uploads[upload] = nil } else { state.objects[key] = nil }
            return HTTPResponse(status: 204)
        case "HEAD":
            guard let object = state.objects[key] else { return HTTPResponse(status: 404) }
            return HTTPResponse(status: 200, headers: [("etag", "\"\(object.etag)\""), ("content-length", "\(object.bytes.count)")] + object.metadata)
        default:
            if let prefix = query("prefix") {
                let found = state.objects.filter { $0.key.hasPrefix(prefix) }.sorted { $0.key < $1.key }
                let items = found.map { "<Contents><Key>\(XML.escape($0.key))</Key><Size>\($0.value.bytes.count)</Size></Contents>" }.joined()
                return xml("<ListBucketResult><IsTruncated>false</IsTruncated>\(items)</ListBucketResult>")
            }
            guard let object = state.objects[key] else { return error(404, "NoSuchKey") }
            if let tag = request.header("if-match"), tag != "\"\(object.etag)\"" { return error(412, "PreconditionFailed") }
            let bounds = request.header("range")?.dropFirst("bytes=".count).split(separator: "-").compactMap { Int($0) }
            guard let bounds, bounds.count == 2 else { return HTTPResponse(status: 200, headers: [("etag", "\"\(object.etag)\"")], body: object.bytes) }
            guard bounds[0] < object.bytes.count else { return error(416, "InvalidRange") }
            let range = bounds[0]...min(bounds[1], object.bytes.count - 1)
            return HTTPResponse(
                status: 206, headers: [("etag", "\"\(object.etag)\""), ("content-range", "bytes \(range.lowerBound)-\(range.upperBound)/\(object.bytes.count)")],
                body: Array(object.bytes[range]))
        }
    }

    private static func refusal(_ request: HTTPRequest, _ key: String, _ state: State) -> HTTPResponse? {
        if request.header("if-none-match") != nil, state.objects[key] != nil { return error(412, "PreconditionFailed") }
        guard let tag = request.header("if-match") else { return nil }
        guard let object = state.objects[key] else { return error(404, "NoSuchKey") }
        return tag == "\"\(object.etag)\"" ? nil : error(412, "PreconditionFailed")
    }

    @discardableResult
    private static func store(_ bytes: [UInt8], _ metadata: [(name: String, value: String)], _ key: String, _ state: inout State) -> String {
        state.number += 1
        state.objects[key] = Object(bytes: bytes, etag: "tag-\(state.number)", metadata: metadata)
        return "tag-\(state.number)"
    }

    private static func metadata(_ request: HTTPRequest) -> [(name: String, value: String)] { request.headers.filter { $0.name.hasPrefix("x-amz-meta-") } }
    private static func xml(_ text: String) -> HTTPResponse { HTTPResponse(status: 200, body: Array(text.utf8)) }
    private static func error(_ status: Int, _ code: String) -> HTTPResponse {
        HTTPResponse(status: status, body: Array("<Error><Code>\(code)</Code></Error>".utf8))
    }
}

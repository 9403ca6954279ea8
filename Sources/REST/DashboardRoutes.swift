import DashboardFiles
import HTTPTypes
import Hummingbird

/// The dashboard's files, which are part of the program. They hold nothing of the cluster, so they are sent without a token.
struct Dashboard: Sendable {
    private struct File: Sendable {
        let contentType: String
        let etag: String
        let body: ByteBuffer
    }

    private let files: [String: File]
    private let contentSecurityPolicy = String(cString: dashboardContentSecurityPolicy())

    init() {
        var files: [String: File] = [:]
        for index in 0..<dashboardFileCount() {
            let file = dashboardFileAt(index)
            let bytes = UnsafeBufferPointer(start: file.bytes, count: file.size)
            let hash = bytes.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
            files[String(cString: file.path)] = File(
                contentType: String(cString: file.contentType), etag: "\"\(String(hash, radix: 16))\"", body: ByteBuffer(bytes: bytes))
        }
        self.files = files
    }

    func addRoutes(_ router: some RouterMethods<BasicRequestContext>) {
        for path in files.keys {
            router.get(RouterPath("/\(path)")) { request, _ in answer(path, request) }
        }
        router.get("/") { request, _ in answer("index.html", request) }
    }

    private func answer(_ path: String, _ request: Request) -> Response {
        guard let file = files[path] else { return Response(status: .notFound) }
        var headers: HTTPFields = [.contentType: file.contentType, .cacheControl: "no-cache", .eTag: file.etag]
        headers[.xContentTypeOptions] = "nosniff"
        headers[.contentSecurityPolicy] = contentSecurityPolicy
        headers[referrerPolicy] = "no-referrer"
        if request.headers[.ifNoneMatch] == file.etag { return Response(status: .notModified, headers: headers) }
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: file.body))
    }
}

private let referrerPolicy = HTTPField.Name("Referrer-Policy")!

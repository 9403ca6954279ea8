import Dataflow
import HTTPTypes
import Hosts
import Hummingbird
import JobControl

/// Whose figures, logs and threads: this process's, or a TaskManager's.
enum Inspected: Sendable {
    case here
    case worker(ClusterView.Worker)
}

extension RESTService {
    func addInspectionRoutes(_ router: some RouterMethods<BasicRequestContext>) {
        for (prefix, isHere) in [("/jobmanager", true), ("/taskmanagers/:worker", false)] {
            @Sendable func place(_ context: BasicRequestContext) async throws -> Inspected { isHere ? .here : .worker(try await worker(context)) }
            router.get(RouterPath(prefix + "/logs")) { _, context in
                guard case .files(let files) = try await ask(.files, of: try await place(context)) else { throw unexpected }
                return Response.json([
                    "logs": .array(files.map { ["name": .string($0.name), "size": .integer($0.bytes), "mtime": .integer($0.modified)] })
                ])
            }
            router.get(RouterPath(prefix + "/log")) { request, context in
                try await text(request, of: try await place(context)) { .file(name: nil, offset: $0, limit: $1) }
            }
            router.get(RouterPath(prefix + "/logs/:file")) { request, context in
                let name = context.parameters.decoded("file")
                return try await text(request, of: try await place(context)) { .file(name: name, offset: $0, limit: $1) }
            }
            router.get(RouterPath(prefix + "/stdout")) { request, context in
                try await text(request, of: try await place(context)) { .standardOutput(offset: $0, limit: $1) }
            }
            router.get(RouterPath(prefix + "/thread-dump")) { _, context in
                guard case .threads(let threads) = try await ask(.threads, of: try await place(context)) else { throw unexpected }
                return Response.json([
                    "threadInfos": .array(threads.map { ["threadName": .string($0.name), "stringifiedThreadInfo": .string($0.text)] })
                ])
            }
        }
    }

    func worker(_ context: BasicRequestContext) async throws -> ClusterView.Worker {
        let id = context.parameters.decoded("worker")
        guard let worker = await jobManager.recentView().workers.first(where: { $0.id.description == id }) else {
            throw Refusal(.notFound, "TaskManager \(id) not found")
        }
        return worker
    }

    func ask(_ question: Question, of place: Inspected, within: Duration = .seconds(10)) async throws -> Answer {
        let answer: Answer
        switch place {
        case .here: answer = await desk.answer(question)
        case .worker(let worker):
            do {
                answer = try await inspection.ask(question, host: worker.host, port: worker.dataPort, within: within)
            } catch {
                throw Refusal(.serviceUnavailable, "TaskManager \(worker.id) does not answer: \(error)")
            }
        }
        if case .refused(let words) = answer { throw Refusal(.serviceUnavailable, words) }
        return answer
    }

    private var unexpected: Refusal { Refusal(.internalServerError, "the answer is of another kind than the question") }

    // MARK: Files, in pieces

    /// The whole file as long as it was when the answer began, or what `Range: bytes=…` says. A reader that is slow holds one piece in memory.
    private func text(
        _ request: Request, of place: Inspected, _ question: @escaping @Sendable (_ offset: Int64, _ limit: UInt32) -> Question
    ) async throws -> Response {
        let range = request.headers[.range].flatMap(ByteRange.init)
        let first = try await piece(of: place, question(range?.offset ?? 0, range?.firstLimit ?? UInt32(Inspector.pieceBytes)))
        let end = range?.end(of: first.size) ?? first.size
        var headers: HTTPFields = [.contentType: "text/plain; charset=UTF-8", .cacheControl: "no-store"]
        headers[.xContentTypeOptions] = "nosniff"
        headers[.acceptRanges] = "bytes"
        if range != nil {
            guard first.offset < end else {
                headers[.contentRange] = "bytes */\(first.size)"
                // An empty file has no last bytes; that is no mistake of the reader's.
                return Response(status: first.size == 0 ? .ok : .rangeNotSatisfiable, headers: headers)
            }
            headers[.contentRange] = "bytes \(first.offset)-\(end - 1)/\(first.size)"
        }
        return Response(
            status: range == nil ? .ok : .partialContent, headers: headers,
            body: ResponseBody { writer in
                var at = first.offset + Int64(first.bytes.count)
                try await writer.write(ByteBuffer(bytes: first.bytes.prefix(Int(max(0, end - first.offset)))))
                while at < end {
                    let part = try await piece(of: place, question(at, UInt32(min(end - at, Int64(Inspector.pieceBytes)))))
                    // It was set aside meanwhile: what was there is told.
                    if part.bytes.isEmpty { break }
                    at += Int64(part.bytes.count)
                    try await writer.write(ByteBuffer(bytes: part.bytes))
                }
                try await writer.finish(nil)
            })
    }

    private func piece(of place: Inspected, _ question: Question) async throws -> LogFiles.Part {
        switch try await ask(question, of: place) {
        case .part(let part): return part
        case .noSuchFile: throw Refusal(.notFound, "There is no such log file")
        case .figures, .files, .threads, .samples, .refused: throw unexpected
        }
    }
}

/// `bytes=100-199`, `bytes=100-` or `bytes=-500`; anything else asks for the whole.
package struct ByteRange: Hashable {
    /// Negative: from the end.
    package let offset: Int64
    private let last: Int64?

    package init?(_ header: String) {
        guard header.hasPrefix("bytes="), !header.contains(",") else { return nil }
        let ends = header.dropFirst("bytes=".count).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard ends.count == 2, ends.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else { return nil }
        switch (Int64(ends[0]), Int64(ends[1])) {
        case (nil, let count?) where ends[0].isEmpty && count > 0: (offset, last) = (-count, nil)
        case (let from?, nil) where ends[1].isEmpty: (offset, last) = (from, nil)
        case (let from?, let to?) where from <= to: (offset, last) = (from, to)
        default: return nil
        }
    }

    package func end(of size: Int64) -> Int64 { last.map { min($0, Int64.max - 1) + 1 }.map { min($0, size) } ?? size }

    package var firstLimit: UInt32 {
        let limit = Int64(Inspector.pieceBytes)
        return UInt32(last.map { min($0 - offset, limit - 1) + 1 } ?? limit)
    }
}

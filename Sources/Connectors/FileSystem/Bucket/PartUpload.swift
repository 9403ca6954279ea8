import Dataflow
import Synchronization

/// One file's multipart upload on its way: parts are cut on the task's thread and sent by others.
///
/// The upload is opened with its first part. The one rule that fences attempts: only the writer that opened an upload sends parts numbered
/// from 1; a successor sends one, numbered by its attempt (`tailNumber`), and whoever completes it names parts and ETags one by one
/// (docs/decisions/0004-files-in-a-bucket.md).
final class PartUpload: Sendable {
    /// Parts of the writer that opened the upload.
    static let ownNumbers = 1...5_000
    /// The object's metadata names the file by it.
    static let idName = "swiftwater-id"

    /// The number under which a successor's attempt sends what the checkpoint kept: behind all parts of the writer, another one for each attempt.
    static func tailNumber(attempt: UInt32) -> Int { 5_001 + Int(attempt % 5_000) }

    private enum Phase {
        case none, opening
        case open(String)
    }

    private struct State {
        var phase: Phase
        /// Cut before the upload was open.
        var waiting: [(number: Int, bytes: [UInt8])] = []
        var done: [Int: UploadedPart] = [:]
        var failure: BucketError?
        /// A checkpoint may name the upload: nobody aborts it any more.
        var isShown: Bool
    }

    let key: String
    let id: String
    private let bucket: any Bucket
    private let line: any UploadLine
    private let state: Mutex<State>

    /// `upload`: one that an earlier attempt opened, with what the checkpoint says of its parts.
    init(_ key: String, id: String, upload: String? = nil, parts: [UploadedPart] = [], bucket: any Bucket, line: any UploadLine) {
        self.key = key
        self.id = id
        self.bucket = bucket
        self.line = line
        let done = Dictionary(uniqueKeysWithValues: parts.map { ($0.number, $0) })
        state = Mutex(State(phase: upload.map { .open($0) } ?? .none, done: done, isShown: upload != nil))
    }

    // MARK: Sending

    /// Sends a part; does not wait.
    func send(_ number: Int, _ bytes: [UInt8]) {
        enum Next { case open, send(String), later }
        let next = state.withLock { state -> Next in
            switch state.phase {
            case .open(let upload): return .send(upload)
            case .none:
                state.phase = .opening
                state.waiting.append((number, bytes))
                return .open
            case .opening:
                state.waiting.append((number, bytes))
                return .later
            }
        }
        switch next {
        case .open: line.run { [self] in open() }
        case .send(let upload): line.run { [self] in send(number, bytes, upload) }
        case .later: break
        }
    }

    private func open() {
        do throws(BucketError) {
            let upload = try bucket.createUpload(key, metadata: [PartUpload.idName: id])
            let waiting = state.withLock { state in
                state.phase = .open(upload)
                defer { state.waiting = [] }
                return state.waiting
            }
            for (number, bytes) in waiting.dropFirst() { line.run { [self] in send(number, bytes, upload) } }
            if let first = waiting.first { send(first.number, first.bytes, upload) }
        } catch {
            fail(error)
        }
    }

    private func send(_ number: Int, _ bytes: [UInt8], _ upload: String) {
        guard failure == nil else { return }
        do throws(BucketError) {
            let part = try bucket.uploadPart(key, upload: upload, number: number, bytes)
            state.withLock { $0.done[number] = part }
        } catch {
            fail(error)
        }
    }

    private func fail(_ error: BucketError) {
        state.withLock { state in
            if state.failure == nil { state.failure = error }
            state.waiting = []
        }
    }

    /// Why a part could not be sent.
    var failure: BucketError? { state.withLock { $0.failure } }

    // MARK: What came of it

    /// Waits until these parts are there. Once it has answered, the upload may stand in a checkpoint.
    func receipts(_ numbers: [Int]) throws(BucketError) -> (upload: String, parts: [UploadedPart]) {
        line.wait { state.withLock { state in state.failure != nil || numbers.allSatisfy { state.done[$0] != nil } } }
        return try state.withLock { state throws(BucketError) in
            let parts = numbers.compactMap { state.done[$0] }
            guard parts.count == numbers.count, case .open(let upload) = state.phase else {
                throw state.failure ?? BucketError(.other(retry: true), "the upload of \(key) was never opened")
            }
            return (upload, parts)
        }
    }

    /// From now on a checkpoint may name the upload.
    func show() { state.withLock { $0.isShown = true } }

    /// Nobody needs what was sent, unless a checkpoint could name it: then only a lifecycle rule removes it.
    func abandon() {
        let upload = state.withLock { state -> String? in
            let shown = state.isShown
            if state.failure == nil { state.failure = BucketError(.other(retry: true), "the task was stopped") }
            state.waiting = []
            guard !shown, case .open(let upload) = state.phase else { return nil }
            return upload
        }
        // Not worth an error: the lifecycle rule that every bucket needs takes care of it.
        if let upload { line.run { [bucket, key] in try? bucket.abortUpload(key, upload: upload) } }
    }
}

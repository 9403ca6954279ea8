import Dataflow
import Synchronization

/// An object of a bucket, fetched piece by piece ahead of the reader by other threads.
final class BucketBytes: FileBytes {
    static let pieceBytes = 4 << 20
    /// Pieces that are here or under way at most.
    static let piecesAhead = 3

    private struct State {
        var pieces: [Int64: Result<[UInt8], StreamError>] = [:]
        var asked: Set<Int64> = []
    }

    private let bucket: any Bucket
    private let key: String
    private let split: FileSplit
    private let line: any UploadLine
    private let wake: @Sendable () -> Void
    private let state = SharedState()

    private final class SharedState: Sendable {
        let value = Mutex(State())
    }

    init(_ split: FileSplit, key: String, in bucket: any Bucket, line: any UploadLine, wake: @escaping @Sendable () -> Void) {
        self.bucket = bucket
        self.key = key
        self.split = split
        self.line = line
        self.wake = wake
    }

    func read(into target: UnsafeMutablePointer<UInt8>, _ count: Int, at offset: Int64) throws(StreamError) -> Int? {
        guard offset < split.size else { return 0 }
        let size = Int64(BucketBytes.pieceBytes)
        let first = offset / size
        // The split's end, and a piece behind it for the line that goes on there.
        let last = min((split.end - 1) / size, (split.size - 1) / size)
        for piece in first...max(first, min(first + Int64(BucketBytes.piecesAhead) - 1, last)) { ask(for: piece) }
        let here = state.value.withLock { state in
            for old in state.pieces.keys where old < first { state.pieces[old] = nil }
            state.asked = state.asked.filter { $0 >= first }
            return state.pieces[first]
        }
        guard let here else { return nil }
        let bytes = try here.get()
        let from = Int(offset - first * size), got = min(count, bytes.count - from)
        guard got > 0 else {
            throw StreamError(.user, retry: false, "\(split.path): the object was cut short while it was read")
        }
        bytes.withUnsafeBufferPointer { target.update(from: $0.baseAddress.unsafelyUnwrapped + from, count: got) }
        return got
    }

    private func ask(for piece: Int64) {
        guard state.value.withLock({ $0.asked.insert(piece).inserted }) else { return }
        let start = Int(piece) * BucketBytes.pieceBytes
        let range = start..<min(start + BucketBytes.pieceBytes, Int(split.size))
        line.run { [bucket, key, split, state, wake] in
            let result: Result<[UInt8], StreamError>
            do throws(BucketError) { result = .success(try bucket.get(key, range, ifMatch: split.etag.isEmpty ? nil : split.etag)) } catch {
                switch error.kind {
                case .notFound, .exists:
                    result = .failure(StreamError(.user, retry: false, "\(split.path): the object was replaced or removed since it was found"))
                case .noSuchUpload, .invalidPart, .denied, .other: result = .failure(error.streamError)
                }
            }
            state.value.withLock { $0.pieces[piece] = result }
            wake()
        }
    }

    func close() {}
}

import CKernels
import Columnar
import Dataflow

/// Part files in a bucket: one multipart upload each, which goes on over checkpoints and is completed when it is committed.
///
/// The rules (docs/decisions/0004-files-in-a-bucket.md): an upload is never continued by another attempt; a checkpoint holds the bytes that no part
/// has; completing names exactly the parts that the checkpoint names; nothing that a checkpoint could name is aborted.
struct BucketParts: PartStore {
    let bucket: any Bucket
    /// The table's folder: empty, or ending in `/`.
    let prefix: String
    let partBytes: Int
    /// Parts of one writer that are on their way at most; `append` waits beyond.
    let partsInFlight: Int

    var keepsFilesOpen: Bool { true }

    func makeBody(_ name: PartName, in folder: String, line: any UploadLine) throws(StreamError) -> any PartBody {
        // The name alone could come twice, where a job lost its HEAD: the object must tell whose it is.
        let id = "\(name.name)/\(PartName.hex(.random(in: 0...(.max))))\(PartName.hex(.random(in: 0...(.max))))"
        let path = folder.isEmpty ? name.name : "\(folder)/\(name.name)"
        return BucketPart(self, folder: folder, PartUpload(prefix + path, id: id, bucket: bucket, line: line), line)
    }

    func adopt(_ file: OpenFile, attempt: UInt32, line: any UploadLine) -> Adoption? {
        guard let upload = file.upload, !file.parts.isEmpty else { return nil }
        let adopted = PartUpload(prefix + file.file.path, id: file.id, upload: upload, parts: file.parts, bucket: bucket, line: line)
        var numbers = file.parts.map(\.number)
        if !file.tail.isEmpty {
            numbers.append(PartUpload.tailNumber(attempt: attempt))
            adopted.send(PartUpload.tailNumber(attempt: attempt), file.tail)
        }
        return Adoption(upload: adopted, ended: BucketPart.ended(adopted, numbers, file.file, bucket))
    }

    func commit(_ committable: Committable) throws(StreamError) -> FinishedFile {
        let pending = try PendingUpload(committable)
        do throws(BucketError) { try pending.commit(to: bucket) } catch { throw error.streamError }
        return pending.file
    }

    func settle(folders: [String]) throws(StreamError) {}

    func put(_ path: String, _ bytes: [UInt8]) throws(StreamError) {
        do throws(BucketError) { try bucket.put(prefix + path, bytes) } catch { throw error.streamError }
    }

    /// Nothing: a retained checkpoint or savepoint may name any open upload. A lifecycle rule of the bucket removes those that are left.
    func discard(_ job: JobID, vertex: Int, attemptsBelow attempt: UInt32, depth: Int, keeping committables: [Committable]) throws(StreamError) {}
}

/// A file that goes on growing by parts.
private final class BucketPart: PartBody {
    private let store: BucketParts
    private let folder: String
    private let upload: PartUpload
    private let line: any UploadLine
    /// What no part has yet.
    private var tail: [UInt8] = []
    private var cut = 0
    private(set) var length: Int64 = 0

    init(_ store: BucketParts, folder: String, _ upload: PartUpload, _ line: any UploadLine) {
        self.store = store
        self.folder = folder
        self.upload = upload
        self.line = line
    }

    var isFull: Bool { cut >= PartUpload.ownNumbers.upperBound - 1 }

    func append(_ bytes: UnsafePointer<UInt8>, _ count: Int) throws(StreamError) {
        tail.append(contentsOf: UnsafeBufferPointer(start: bytes, count: count))
        length += Int64(count)
        if tail.count >= store.partBytes { try cutPart() }
    }

    private func cutPart() throws(StreamError) {
        line.wait { line.running < store.partsInFlight }
        if let failure = upload.failure { throw failure.streamError }
        cut += 1
        upload.send(cut, tail)
        tail = []
    }

    func finish(_ file: FinishedFile) throws(StreamError) -> Ended {
        if !tail.isEmpty { try cutPart() }
        return BucketPart.ended(upload, cut == 0 ? [] : Array(1...cut), file, store.bucket)
    }

    /// The committable once all parts are there; nil when there is nothing to commit.
    static func ended(_ upload: PartUpload, _ numbers: [Int], _ file: FinishedFile, _ bucket: any Bucket) -> Ended {
        { (checkpoint) throws(StreamError) in
            var file = file
            file.checkpoint = checkpoint
            do throws(BucketError) {
                guard !numbers.isEmpty else { return nil }
                do throws(BucketError) {
                    let (id, parts) = try upload.receipts(numbers)
                    return PendingUpload(key: upload.key, upload: id, id: upload.id, file: file, parts: parts).committable
                } catch {
                    // Completed before, as of a checkpoint that is not the one this attempt started from?
                    guard error.kind == .noSuchUpload else { throw error }
                    try PendingUpload.prove(upload.key, upload.id, file, in: bucket)
                    return nil
                }
            } catch {
                throw error.streamError
            }
        }
    }

    func suspend(_ file: FinishedFile) throws(StreamError) -> Later<OpenFile>? {
        if let failure = upload.failure { throw failure.streamError }
        upload.show()
        let (upload, folder, cut, tail) = (upload, folder, cut, tail)
        return { () throws(StreamError) in
            var open = OpenFile(file: file, folder: folder, id: upload.id, upload: nil, parts: [], tail: tail)
            guard cut > 0 else { return open }
            do throws(BucketError) {
                let (id, parts) = try upload.receipts(Array(1...cut))
                open.upload = id
                open.parts = parts
                return open
            } catch {
                throw error.streamError
            }
        }
    }

    func abandon() { upload.abandon() }
}

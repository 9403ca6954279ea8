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
    var partsInFlight: Int
    /// `auto-compaction`: files of less than a part that end in one checkpoint become one of so many bytes at most.
    var mergesTo: Int64?
    let draw: @Sendable () -> UInt32
    let faults: Set<SeededFault>

    var keepsFilesOpen: Bool { true }
    func within(_ bytes: Int) -> any PartStore {
        var store = self
        store.partsInFlight = max(1, min(partsInFlight, bytes / partBytes))
        return store
    }

    /// Whoever may not list may still write.
    func probe() throws(StreamError) {
        do throws(BucketError) { _ = try bucket.list(prefix: prefix + ".swiftwater/") } catch { if error.kind == .notFound { throw error.streamError } }
    }

    func makeBody(_ name: PartName, in folder: String, line: any UploadLine) throws(StreamError) -> any PartBody {
        // The name alone could come twice, where a job lost its HEAD: the object must tell whose it is.
        let id = "\(name.name)/\(PartName.hex(draw()))\(PartName.hex(draw()))"
        let path = folder.isEmpty ? name.name : "\(folder)/\(name.name)"
        return BucketPart(self, folder: folder, PartUpload(prefix + path, id: id, bucket: bucket, line: line), line)
    }

    func adopt(_ file: OpenFile, attempt: UInt32, line: any UploadLine) -> Adoption? {
        guard let upload = file.upload, !file.parts.isEmpty else { return nil }
        let adopted = PartUpload(prefix + file.file.path, id: file.id, upload: upload, parts: file.parts, bucket: bucket, line: line)
        var numbers = file.parts.map(\.number)
        if !file.tail.isEmpty, !faults.contains(.tailsForgotten) {
            let number = faults.contains(.partsContinued) ? file.parts.count + 1 : PartUpload.tailNumber(attempt: attempt)
            numbers.append(number)
            adopted.send(number, file.tail)
        }
        return Adoption(upload: adopted, ended: BucketPart.ended(adopted, numbers, file.file, self))
    }

    func check(_ committable: Committable) throws(StreamError) -> FinishedFile {
        SmallPart.isOne(committable) ? try SmallPart(committable).file : try PendingUpload(committable).file
    }

    func commit(_ committable: Committable) throws(StreamError) {
        let pending = try PendingUpload(committable)
        do throws(BucketError) { try pending.commit(to: bucket) } catch { try unlessListed(pending.file, error) }
    }

    /// An object that is not there any more was committed when a list says so: whoever reads these files may take them away.
    fileprivate func unlessListed(_ file: FinishedFile, _ error: BucketError) throws(StreamError) {
        do throws(BucketError) { if try isListed(file, after: error) { return } } catch { throw error.streamError }
        throw error.streamError
    }

    func isListed(_ file: FinishedFile, after error: BucketError) throws(BucketError) -> Bool {
        guard error.kind == .noSuchUpload || error.kind == .invalidPart else { return false }
        do throws(StreamError) { return try CommitList.names(file, in: self) } catch { throw BucketError(.other(retry: error.retry), error.message) }
    }

    func settle(folders: [String]) throws(StreamError) {}

    func stage(_ path: String, _ bytes: [UInt8]) throws(StreamError) -> Staged {
        { () throws(StreamError) in do throws(BucketError) { try bucket.put(prefix + path, bytes) } catch { throw error.streamError } }
    }

    func names(in folder: String) throws(StreamError) -> [String] {
        do throws(BucketError) { return try bucket.list(prefix: prefix + folder + "/").map { FilePath.name($0.key) } } catch { throw error.streamError }
    }

    func read(_ path: String) throws(StreamError) -> [UInt8] {
        do throws(BucketError) { return try bucket.get(prefix + path, nil, ifMatch: nil) } catch { throw error.streamError }
    }

    /// Nothing: a retained checkpoint or savepoint may name any open upload. A lifecycle rule of the bucket removes those that are left.
    func discard(_ job: JobID, vertex: Int, attemptsBelow attempt: UInt32, depth: Int, keeping committables: [Committable]) throws(StreamError) {
        guard faults.contains(.openUploadsAborted) else { return }
        let kept = Set(try committables.filter { PendingUpload.isOne($0) }.map { committable throws(StreamError) in try PendingUpload(committable).upload })
        for (key, upload) in (try? bucket.openUploads(prefix: prefix)) ?? [] where !kept.contains(upload) { try? bucket.abortUpload(key, upload: upload) }
    }
}

/// A file that goes on growing by parts.
private final class BucketPart: PartBody {
    private let store: BucketParts
    private let folder: String
    private let upload: PartUpload
    private let line: any UploadLine
    /// What no part has yet.
    private var tail = Tail()
    private var cut = 0
    private(set) var length: Int64 = 0
    /// It has ended with less than a part, to be merged with others.
    private var small: SmallUpload?

    init(_ store: BucketParts, folder: String, _ upload: PartUpload, _ line: any UploadLine) {
        self.store = store
        self.folder = folder
        self.upload = upload
        self.line = line
    }

    var heldBytes: Int { tail.count }

    func rest() {}

    var isFull: Bool { cut >= PartUpload.ownNumbers.upperBound - 1 }

    func append(_ bytes: UnsafePointer<UInt8>, _ count: Int) throws(StreamError) {
        tail.append(bytes, count)
        length += Int64(count)
        if tail.count >= store.partBytes { try cutPart() }
    }

    private func cutPart() throws(StreamError) {
        line.wait { line.running < store.partsInFlight }
        if let failure = upload.failure { throw failure.streamError }
        cut += 1
        upload.send(cut, tail.bytes)
        tail = Tail()
    }

    func finish(_ file: FinishedFile) throws(StreamError) -> Ended {
        if store.mergesTo != nil, cut == 0, tail.count > 0 { return sendSmall(file) }
        if tail.count > 0 { try cutPart() }
        return BucketPart.ended(upload, cut == 0 ? [] : Array(1...cut), file, store)
    }

    private func sendSmall(_ file: FinishedFile) -> Ended {
        line.wait { line.running < store.partsInFlight }
        let sending = SmallUpload(SmallPart(prefix: store.prefix, file: file), store.bucket, line)
        sending.begin(tail.bytes)
        tail = Tail()
        small = sending
        return { (checkpoint) throws(StreamError) in try sending.committable(checkpoint) }
    }

    /// The committable once all parts are there; nil when there is nothing to commit.
    /// One that was taken over is whole as of the checkpoint that it comes from.
    static func ended(_ upload: PartUpload, _ numbers: [Int], _ before: FinishedFile, _ store: BucketParts) -> Ended {
        { (checkpoint) throws(StreamError) in
            var file = before
            if file.checkpoint == 0 { file.checkpoint = checkpoint }
            guard !numbers.isEmpty else { return nil }
            do throws(BucketError) {
                let (id, parts) = try upload.receipts(numbers)
                if store.faults.contains(.filesShownEarly) { try? store.bucket.completeUpload(upload.key, upload: id, parts: parts) }
                return PendingUpload(key: upload.key, upload: id, id: upload.id, file: file, parts: parts).committable
            } catch {
                // Completed before, as of a checkpoint that is not the one this attempt started from?
                guard error.kind == .noSuchUpload else { throw error.streamError }
                do throws(BucketError) { try PendingUpload.prove(upload.key, upload.id, file, in: store.bucket) } catch { try store.unlessListed(file, error) }
                return nil
            }
        }
    }

    func suspend(_ file: FinishedFile) throws(StreamError) -> Later<OpenFile>? {
        if let failure = upload.failure { throw failure.streamError }
        upload.show()
        let (upload, folder, cut, tail) = (upload, folder, cut, tail)
        return { () throws(StreamError) in
            var open = OpenFile(file: file, folder: folder, id: upload.id, upload: nil, parts: [], tail: tail.bytes)
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

    func abandon() {
        small?.abandon()
        upload.abandon()
    }
}

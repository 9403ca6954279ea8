import CKernels
import Dataflow

/// Makes files of a checkpoint's small parts (`auto-compaction` in a bucket): which part goes into which file is planned once for all (`MergePlan`),
/// then the bytes are gathered into the upload that the plan names, and completing that makes the file, as it does with any other.
///
/// A commit that is repeated, with whatever others, at whatever time, finds the plan and does what is left. Parts are removed when a list of commits
/// names the file. See docs/decisions/0007-small-files-in-a-bucket.md.
struct BucketMerge {
    /// Files that are gathered at the same time; each holds up to two parts' bytes.
    private static let side = 4

    private struct Planned: Sendable {
        /// The table's folder in the bucket.
        var prefix: String
        var entry: CommitList.Entry
        /// Nobody could have carried it out before.
        var isNew: Bool

        var key: String { prefix + entry.path }
        /// The object's metadata: the name alone could be another job's.
        static func id(_ entry: CommitList.Entry) -> String { "\(FilePath.name(entry.path))/merged-\(entry.crc32c)" }

        var file: FinishedFile {
            FinishedFile(
                path: entry.path, checkpoint: entry.checkpoint, bytes: entry.bytes, rows: entry.rows, checksum: UInt32(entry.crc32c, radix: 16) ?? 0)
        }
    }

    private let store: BucketParts
    private let makeLine: @Sendable () -> any UploadLine
    private let planned: [Planned]

    /// What lists of commits say of the files.
    var entries: [CommitList.Entry] {
        planned.map { file in
            var entry = file.entry
            entry.upload = nil
            return entry
        }
    }

    /// Plans what nobody has.
    init(_ parts: [SmallPart], in store: BucketParts, _ makeLine: @escaping @Sendable () -> any UploadLine) throws(StreamError) {
        self.store = store
        self.makeLine = makeLine
        var planned: [Planned] = []
        for (place, parts) in Dictionary(grouping: parts, by: { $0.prefix + MergePlan.prefix($0.file) }).sorted(by: { $0.key < $1.key }) {
            planned += try BucketMerge.plan(parts, at: place, in: store, makeLine)
        }
        self.planned = planned
    }

    private static func plan(
        _ parts: [SmallPart], at place: String, in store: BucketParts, _ makeLine: () -> any UploadLine
    ) throws(StreamError) -> [Planned] {
        let bucket = store.bucket, prefix = parts[0].prefix
        // Each time somebody else has planned meanwhile.
        for _ in 0..<100 {
            let plans = try asking { () throws(BucketError) in try bucket.list(prefix: place) }
            var known: [CommitList.Entry] = []
            for plan in plans where !store.faults.contains(.mergesUnplanned) {
                known += try CommitList.entries(asking { () throws(BucketError) in try bucket.get(plan.key, nil, ifMatch: nil) })
            }
            let there = Set(known.flatMap(\.parts))
            let mine = Set(parts.map(\.path))
            let old = known.filter { !mine.isDisjoint(with: $0.parts) }.map { Planned(prefix: prefix, entry: $0, isNew: false) }
            let new = parts.filter { !there.contains($0.path) }
            if new.isEmpty { return old }
            var entries = MergePlan.entries(of: new.map(\.file), bytes: store.mergesTo ?? Int64(store.partBytes))
            let opened = try sideBySide(entries, makeLine()) { (entry) throws(BucketError) in
                try bucket.createUpload(prefix + entry.path, metadata: [PartUpload.idName: Planned.id(entry)])
            }
            for (index, upload) in opened.enumerated() { entries[index].upload = upload }
            let isMine = try asking { [entries] () throws(BucketError) in
                let number = MergePlan.nextNumber(after: plans.map { $0.key.dropFirst(place.count) })
                let key = place + MergePlan.name(number), bytes = CommitList.lines(of: entries)
                do throws(BucketError) { try bucket.create(key, bytes) } catch {
                    guard error.kind == .exists else { throw error }
                    // It may be ours, when the answer to a first try was lost.
                    return try bucket.get(key, nil, ifMatch: nil) == bytes
                }
                return true
            }
            if isMine { return old + entries.map { Planned(prefix: prefix, entry: $0, isNew: true) } }
            // The number is taken: no plan will ever name these.
            for entry in entries { try? bucket.abortUpload(prefix + entry.path, upload: entry.upload ?? "") }
        }
        throw StreamError(.externalSystem, retry: true, "\(bucket.uri)/\(place): others plan all the time")
    }

    // MARK: Files

    func carryOut() throws(StreamError) {
        _ = try BucketMerge.sideBySide(planned, makeLine()) { [self] (file) throws(BucketError) in try make(file) }
    }

    private func make(_ planned: Planned) throws(BucketError) {
        var pending = PendingUpload(
            key: planned.key, upload: planned.entry.upload ?? "", id: Planned.id(planned.entry), file: planned.file, parts: [])
        do throws(BucketError) {
            if !planned.isNew, try store.bucket.head(pending.key)?.metadata[PartUpload.idName] == pending.id { return }
            do throws(BucketError) { pending.parts = try gather(planned) } catch {
                // A commit that was faster has completed the upload, and removed the parts.
                guard error.kind == .notFound || error.kind == .noSuchUpload else { throw error }
                do throws(BucketError) { return try PendingUpload.prove(pending.key, pending.id, pending.file, in: store.bucket) } catch let lost {
                    throw lost.kind == .noSuchUpload && error.kind == .noSuchUpload ? withoutUpload(planned) : lost
                }
            }
            try pending.commit(to: store.bucket)
        } catch {
            if try store.isListed(pending.file, after: error) { return }
            // Another commit cuts the same bytes otherwise, because it has other options.
            throw error.kind == .invalidPart ? BucketError(.other(retry: true), error.message) : error
        }
    }

    /// Another upload would write the rows again if a reader has taken the file before a list named it: somebody has to look.
    private func withoutUpload(_ planned: Planned) -> BucketError {
        let parts = planned.entry.parts.map { SmallPart.key(planned.prefix, $0) }
        return BucketError(
            .noSuchUpload,
            "\(store.bucket.uri)/\(planned.key): the upload that was to become it is gone, and there is no such object. A lifecycle rule of the bucket has probably "
                + "removed the incomplete upload. Its \(planned.entry.rows) rows are still there, in this order: \(parts.joined(separator: ", ")). Unless a reader has taken "
                + "the object away already, put the bytes of these together under its name, with the metadata \(PartUpload.idName)=\(Planned.id(planned.entry)), and "
                + "start the job again; such rules must wait longer than the oldest checkpoint or savepoint that may be restored")
    }

    /// The parts' bytes, into the upload. Whoever else does it sends the same under the same numbers.
    private func gather(_ planned: Planned) throws(BucketError) -> [UploadedPart] {
        let bucket = store.bucket
        var sent: [UploadedPart] = [], bytes: [UInt8] = [], checksum: UInt32 = 0, count: Int64 = 0
        func send() throws(BucketError) {
            sent.append(try bucket.uploadPart(planned.key, upload: planned.entry.upload ?? "", number: sent.count + 1, bytes))
            bytes = []
        }
        for path in planned.entry.parts {
            let part = try bucket.get(SmallPart.key(planned.prefix, path), nil, ifMatch: nil)
            checksum = part.withUnsafeBytes { swiftwater_crc32c(checksum, $0.baseAddress, $0.count) }
            count += Int64(part.count)
            bytes += part
            if bytes.count >= store.partBytes { try send() }
        }
        guard count == planned.entry.bytes, PartName.hex(checksum) == planned.entry.crc32c else {
            throw BucketError(.exists, "\(bucket.uri)/\(planned.key): the parts that it is made of are not as they were written")
        }
        if !bytes.isEmpty || sent.isEmpty { try send() }
        return sent
    }

    // MARK: Parts

    /// To be called when a list names the files. What cannot be removed now stays, out of readers' sight: nobody needs it any more.
    func removeParts() throws(StreamError) {
        let keys = planned.flatMap { file in file.entry.parts.map { SmallPart.key(file.prefix, $0) } }
        let trouble = Trouble(), bucket = store.bucket
        _ = try BucketMerge.sideBySide(keys, makeLine()) { (key) throws(BucketError) in
            if trouble.error != nil { return }
            do throws(BucketError) { try bucket.delete(key) } catch {
                trouble.note(error.streamError)
                if error.kind == .denied { throw error }
            }
        }
    }

    /// Throws the first error when all that were begun have ended; after an error nothing more is.
    private static func sideBySide<Item: Sendable, Value: Sendable>(
        _ items: [Item], _ line: any UploadLine, _ body: @escaping @Sendable (Item) throws(BucketError) -> Value
    ) throws(StreamError) -> [Value] {
        let results = Results<Value>(count: items.count)
        for (index, item) in items.enumerated() {
            line.wait { line.running < side }
            if let error = results.error {
                results.put(index, .failure(error))
                continue
            }
            line.run { do throws(BucketError) { results.put(index, .success(try body(item))) } catch { results.put(index, .failure(error.streamError)) } }
        }
        line.wait { results.isComplete }
        return try results.all()
    }

    private static func asking<Value>(_ body: () throws(BucketError) -> Value) throws(StreamError) -> Value {
        do throws(BucketError) { return try body() } catch { throw error.streamError }
    }
}

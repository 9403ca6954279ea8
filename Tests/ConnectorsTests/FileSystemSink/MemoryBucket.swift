import Connectors
import Dataflow

/// S3 in memory, on one thread: uploads, parts that are replaced, ETags of contents, and calls that fail, or happen and are not answered.
final class MemoryBucket: Bucket, @unchecked Sendable {
    struct Upload {
        var key: String
        var metadata: [String: String]
        var parts: [Int: [UInt8]] = [:]
    }

    /// A way in which a sink could get it wrong, so that the check is seen to catch it.
    enum Fault: CaseIterable {
        /// A successor's part takes the number that the old attempt uses next.
        case tailReusesANumber
        /// Completing takes whatever parts the upload has.
        case completesAllParts
        /// Uploads of attempts before are aborted.
        case abortsOlderUploads
    }

    let uri = "s3://memory"
    private(set) var objects: [String: (bytes: [UInt8], metadata: [String: String])] = [:]
    private(set) var uploads: [String: Upload] = [:]
    private(set) var aborted: [String] = []
    private(set) var completions = 0
    private var opened = 0
    private var chance: SplitMix
    private let failPercent: Int
    private let fault: Fault?

    init(seed: UInt64 = 1, failPercent: Int = 0, fault: Fault? = nil) {
        chance = SplitMix(seed: seed)
        self.failPercent = failPercent
        self.fault = fault
    }

    /// As the client below does it: an attempt may fail, or happen and be answered by nobody, and is made again; few are too many.
    private func call<Value>(_ body: () throws(BucketError) -> Value) throws(BucketError) -> Value {
        for _ in 0..<4 {
            if chance.percent(failPercent) { continue }
            let value = try body()
            if !chance.percent(failPercent) { return value }
        }
        throw BucketError(.other(retry: true), "503 SlowDown")
    }

    func createUpload(_ key: String, metadata: [String: String]) throws(BucketError) -> String {
        try call { () throws(BucketError) in
            opened += 1
            let id = "u\(opened)"
            if fault == .abortsOlderUploads {
                for (old, upload) in uploads where upload.key.split(separator: "-")[4] != key.split(separator: "-")[4] { uploads[old] = nil }
            }
            uploads[id] = Upload(key: key, metadata: metadata)
            return id
        }
    }

    private func number(_ number: Int, _ upload: Upload?) -> Int {
        guard fault == .tailReusesANumber, number > 5_000, let upload else { return number }
        return (upload.parts.keys.filter { $0 <= 5_000 }.max() ?? 0) + 1
    }

    func uploadPart(_ key: String, upload: String, number: Int, _ bytes: [UInt8]) throws(BucketError) -> UploadedPart {
        try call { () throws(BucketError) in
            guard let open = uploads[upload] else { throw BucketError(.noSuchUpload, "NoSuchUpload \(upload)") }
            let number = self.number(number, open)
            uploads[upload]?.parts[number] = bytes
            return UploadedPart(number: number, etag: MemoryBucket.etag(bytes), checksum: 0, bytes: bytes.count)
        }
    }

    func completeUpload(_ key: String, upload: String, parts: [UploadedPart]) throws(BucketError) {
        try call { () throws(BucketError) in
            guard let open = uploads[upload] else { throw BucketError(.noSuchUpload, "NoSuchUpload \(upload)") }
            if objects[key] != nil { throw BucketError(.exists, "PreconditionFailed \(key)") }
            var bytes: [UInt8] = []
            let named = fault == .completesAllParts ? open.parts.keys.sorted() : parts.map(\.number)
            for number in named {
                guard let part = open.parts[number],
                    fault == .completesAllParts || parts.first(where: { $0.number == number })?.etag == MemoryBucket.etag(part)
                else { throw BucketError(.invalidPart, "InvalidPart \(number) of \(upload)") }
                bytes += part
            }
            precondition(named == named.sorted(), "parts are named in order")
            objects[key] = (bytes, open.metadata)
            uploads[upload] = nil
            completions += 1
        }
    }

    func abortUpload(_ key: String, upload: String) throws(BucketError) {
        aborted.append(upload)
        uploads[upload] = nil
    }

    func openUploads(prefix: String) throws(BucketError) -> [(key: String, upload: String)] {
        uploads.filter { $0.value.key.hasPrefix(prefix) }.map { ($0.value.key, $0.key) }.sorted { $0 < $1 }
    }

    func put(_ key: String, _ bytes: [UInt8]) throws(BucketError) {
        try call { () throws(BucketError) in objects[key] = (bytes, [:]) }
    }

    func create(_ key: String, _ bytes: [UInt8]) throws(BucketError) {
        try call { () throws(BucketError) in
            if objects[key] != nil { throw BucketError(.exists, "PreconditionFailed \(key)") }
            objects[key] = (bytes, [:])
        }
    }

    func delete(_ key: String) throws(BucketError) { try call { () throws(BucketError) in objects[key] = nil } }

    func get(_ key: String, _ range: Range<Int>?, ifMatch: String?) throws(BucketError) -> [UInt8] {
        guard let object = objects[key] else { throw BucketError(.notFound, "NoSuchKey \(key)") }
        if let ifMatch, ifMatch != MemoryBucket.etag(object.bytes) { throw BucketError(.exists, "PreconditionFailed \(key)") }
        return range.map { Array(object.bytes[$0.clamped(to: 0..<object.bytes.count)]) } ?? object.bytes
    }

    func head(_ key: String) throws(BucketError) -> BucketObject? {
        objects[key].map { BucketObject(key: key, bytes: $0.bytes.count, etag: MemoryBucket.etag($0.bytes), metadata: $0.metadata) }
    }

    func list(prefix: String) throws(BucketError) -> [BucketObject] {
        objects.filter { $0.key.hasPrefix(prefix) }.sorted { $0.key < $1.key }.map {
            BucketObject(key: $0.key, bytes: $0.value.bytes.count, etag: MemoryBucket.etag($0.value.bytes))
        }
    }

    /// What somebody else does to the bucket.
    func remove(upload: String) { uploads[upload] = nil }
    func remove(object key: String) { objects[key] = nil }
    func place(_ key: String, _ text: String) { place(key, bytes: Array(text.utf8)) }
    func place(_ key: String, bytes: [UInt8]) { objects[key] = (bytes, [:]) }

    /// The committed files' text together.
    var committed: String {
        objects.filter { !$0.key.split(separator: "/").contains { $0.hasPrefix("_") } }.sorted { $0.key < $1.key }
            .map { String(decoding: $0.value.bytes, as: UTF8.self) }.joined()
    }

    private static func etag(_ bytes: [UInt8]) -> String {
        String(bytes.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }, radix: 16)
    }
}

extension MemoryBucket {
    /// What connectors know of it: uploads go on as the work is stepped, and parts may be as small as one likes.
    func buckets(_ work: SteppedWork) -> Buckets {
        Buckets(open: { [self] (_, _) throws(StreamError) in self }, makeLine: { work.makeLine() }, leastPartBytes: 1)
    }
}

/// Work of all writers, done when the story says so, on one thread.
final class SteppedWork: @unchecked Sendable {
    private var queue: [(process: Int, line: Int, work: @Sendable () -> Void)] = []
    private var chance: SplitMix
    private var lines = 0
    /// Lines are made for this process.
    var process = 0

    init(seed: UInt64 = 1) { chance = SplitMix(seed: seed) }

    var isEmpty: Bool { queue.isEmpty }

    /// Does one piece of whatever is there.
    func step() {
        guard !queue.isEmpty else { return }
        queue.remove(at: chance.below(queue.count)).work()
    }

    /// The process is gone, and what it had not done.
    func kill(_ process: Int) { queue.removeAll { $0.process == process } }

    func makeLine() -> any UploadLine {
        lines += 1
        return Line(all: self, process: process, number: lines)
    }

    private struct Line: UploadLine {
        let all: SteppedWork
        let process: Int
        let number: Int

        func run(_ work: @escaping @Sendable () -> Void) { all.queue.append((process, number, work)) }
        var running: Int { all.queue.count { $0.line == number } }

        func wait(until isTrue: () -> Bool) {
            while !isTrue() {
                precondition(!all.queue.isEmpty, "nothing that is under way could end this wait")
                all.step()
            }
        }
    }
}

struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
    mutating func percent(_ percent: Int) -> Bool { below(100) < percent }
}

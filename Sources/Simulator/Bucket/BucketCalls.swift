import Connectors
import Dataflow

/// A process's way to the bucket, as the client of the server has it: an attempt may be refused, lost, carried out without an answer, or only later;
/// it is made again a few times.
struct BucketCalls: Bucket, @unchecked Sendable {
    let bucket: SimulatedBucket
    unowned let cluster: SimulatedCluster

    var uri: String { "s3://bucket" }

    private func call<Value>(_ body: @escaping () throws(BucketError) -> Value) throws(BucketError) -> Value {
        for _ in 0..<3 {
            switch cluster.bucketMood() {
            case .well: return try body()
            case .unavailable, .requestLost: continue
            case .answerLost: _ = try? body()
            case .late(let delay): cluster.timeline.after(delay) { _ = try? body() }
            }
        }
        throw BucketError(.other(retry: true), "503 SlowDown")
    }

    func createUpload(_ key: String, metadata: [String: String]) throws(BucketError) -> String {
        try call { () throws(BucketError) in bucket.createUpload(key, metadata) }
    }

    func uploadPart(_ key: String, upload: String, number: Int, _ bytes: [UInt8]) throws(BucketError) -> UploadedPart {
        try call { () throws(BucketError) in try bucket.uploadPart(upload, number, bytes) }
    }

    func completeUpload(_ key: String, upload: String, parts: [UploadedPart]) throws(BucketError) {
        try call { () throws(BucketError) in try bucket.completeUpload(upload, parts) }
    }

    func abortUpload(_ key: String, upload: String) throws(BucketError) { try call { () throws(BucketError) in bucket.abortUpload(upload) } }

    func openUploads(prefix: String) throws(BucketError) -> [(key: String, upload: String)] {
        try call { () throws(BucketError) in
            bucket.uploads.filter { $0.value.key.hasPrefix(prefix) }.map { ($0.value.key, $0.key) }.sorted { $0 < $1 }
        }
    }

    func put(_ key: String, _ bytes: [UInt8]) throws(BucketError) { try call { () throws(BucketError) in bucket.put(key, bytes) } }

    func create(_ key: String, _ bytes: [UInt8]) throws(BucketError) {
        try call { () throws(BucketError) in
            if bucket.objects[key] != nil { throw BucketError(.exists, "PreconditionFailed \(key)") }
            bucket.put(key, bytes)
        }
    }

    func delete(_ key: String) throws(BucketError) { try call { () throws(BucketError) in bucket.delete(key) } }

    func get(_ key: String, _ range: Range<Int>?, ifMatch: String?) throws(BucketError) -> [UInt8] {
        try call { () throws(BucketError) in
            guard let object = bucket.objects[key] else { throw BucketError(.notFound, "NoSuchKey \(key)") }
            return range.map { Array(object.bytes[$0.clamped(to: 0..<object.bytes.count)]) } ?? object.bytes
        }
    }

    func head(_ key: String) throws(BucketError) -> BucketObject? {
        try call { () throws(BucketError) in
            bucket.objects[key].map { BucketObject(key: key, bytes: $0.bytes.count, etag: SimulatedBucket.etag($0.bytes), metadata: $0.metadata) }
        }
    }

    func list(prefix: String) throws(BucketError) -> [BucketObject] {
        try call { () throws(BucketError) in
            bucket.objects.filter { $0.key.hasPrefix(prefix) }.sorted { $0.key < $1.key }.map {
                BucketObject(key: $0.key, bytes: $0.value.bytes.count, etag: SimulatedBucket.etag($0.value.bytes))
            }
        }
    }
}

/// How one request to the bucket goes.
enum BucketMood {
    case well
    case unavailable, requestLost, answerLost
    /// Carried out so long after it was answered as failed.
    case late(Duration)
}

/// A process's calls on other threads than its tasks': each begins some time after it was asked for, or at once when somebody waits for it.
final class BucketLine: UploadLine, @unchecked Sendable {
    private final class Call {
        let work: @Sendable () -> Void
        var hasBegun = false
        init(_ work: @escaping @Sendable () -> Void) { self.work = work }
    }

    private let host: SimulatedTaskManager
    private var calls: [Call] = []

    init(host: SimulatedTaskManager) { self.host = host }

    func run(_ work: @escaping @Sendable () -> Void) {
        let call = Call(work)
        calls.append(call)
        let cluster = host.cluster
        cluster.timeline.after(cluster.bucketDelay()) { [self] in
            // What a process that is over had sent may arrive all the same.
            if !host.isAlive, cluster.chance.chance(0.5) { return begin(call) }
            host.inside { [self] in begin(call) }
        }
    }

    var running: Int { calls.count }

    func wait(until isTrue: () -> Bool) {
        while !isTrue() {
            precondition(!calls.isEmpty, "nothing that is under way could end this wait")
            begin(host.cluster.chance.pick(calls))
        }
    }

    private func begin(_ call: Call) {
        guard !call.hasBegun else { return }
        call.hasBegun = true
        call.work()
        calls.removeAll { $0 === call }
    }
}

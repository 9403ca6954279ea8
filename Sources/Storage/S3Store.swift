import AWS
import NIOCore

/// Objects of one bucket below one prefix.
///
/// Objects above `partBytes` are written as multipart uploads and read in ranges, several at once. ETags are S3's own. A conditional put carries a number of
/// its own in the object's metadata: when an attempt was answered too late or not at all, the object itself tells whose it is, so that a put which did
/// happen is not taken for another writer's (and a timeout is `.unavailable` only when S3 cannot be asked).
package final class S3Store: ObjectStore {
    package static let partBytes = 8 << 20
    private static let mark = "swiftwater-put"

    private let client: S3Client
    private let bucket: String
    /// Empty, or ending with a slash.
    private let prefix: String
    private let concurrency: Int
    private let partBytes: Int

    /// `prefix`: a folder within the bucket, empty for the bucket itself. `concurrency`: parts or ranges of one object under way at once.
    package init(client: S3Client, bucket: String, prefix: String, concurrency: Int = 8, partBytes: Int = S3Store.partBytes) {
        (self.client, self.bucket, self.concurrency, self.partBytes) = (client, bucket, concurrency, partBytes)
        self.prefix = prefix.isEmpty || prefix.hasSuffix("/") ? prefix : prefix + "/"
    }

    package func put(_ key: ObjectKey, _ bytes: [UInt8], _ condition: PutCondition) throws(StoreError) -> ETag {
        let mark = condition == .none ? nil : Hex.encode((0..<16).map { _ in UInt8.random(in: 0 ... .max) })
        return try blocking(key) { [self] () async throws(AWSError) in
            var attempts = 0
            while true {
                attempts += 1
                do throws(AWSError) {
                    return ETag(try await write(key, bytes, condition, mark))
                } catch {
                    guard let mark, error.mayHaveHappened, error.kind != .cancelled else { throw refused(error, condition) }
                    // Some attempt may have been carried out. Whose is the object?
                    let found: S3Head?
                    do throws(AWSError) { found = try await client.head(bucket: bucket, key: prefix + key.path) } catch { throw unknown(error) }
                    if let found, found.metadata[Self.mark] == mark { return ETag(found.etag) }
                    if attempts < 3, stillHolds(condition, found) { continue }
                    // Another's object, perhaps written over ours: whoever asked must read again.
                    throw error
                }
            }
        }
    }

    package func get(_ key: ObjectKey) throws(StoreError) -> (bytes: [UInt8], etag: ETag) {
        try blocking(key) { [self] () async throws(AWSError) in
            let path = prefix + key.path
            var attempts = 0
            while true {
                attempts += 1
                let first: S3Object
                do throws(AWSError) {
                    first = try await client.get(bucket: bucket, key: path, range: 0..<partBytes)
                } catch {
                    // An empty object has no first byte.
                    guard error.status == 416 else { throw error }
                    first = try await client.get(bucket: bucket, key: path)
                }
                if first.bytes.count >= first.sizeBytes { return (first.bytes, ETag(first.etag)) }
                do throws(AWSError) {
                    let rest = try await ranges(path, partBytes..<first.sizeBytes, etag: first.etag)
                    return (joined([first.bytes] + rest), ETag(first.etag))
                } catch {
                    // Replaced while it was read: begin again.
                    guard error.kind == .conflict, attempts < 10 else { throw error }
                }
            }
        }
    }

    package func get(_ key: ObjectKey, range: Range<Int>) throws(StoreError) -> [UInt8] {
        let path = prefix + key.path
        let bytes: [UInt8]?
        if range.lowerBound < 0 || range.isEmpty {
            bytes = nil
        } else {
            bytes = try blocking(key) { [self] () async throws(AWSError) -> [UInt8]? in
                do throws(AWSError) {
                    return joined(try await ranges(path, range, etag: nil))
                } catch {
                    if error.status == 416 { return nil }
                    throw error
                }
            }
        }
        if let bytes, bytes.count == range.count { return bytes }
        let head = try blocking(key) { [self] () async throws(AWSError) in try await client.head(bucket: bucket, key: path) }
        guard let head else { throw .notFound(key) }
        if range.isEmpty, range.lowerBound >= 0, range.upperBound <= head.sizeBytes { return [] }
        throw .outOfRange(key, range, sizeBytes: head.sizeBytes)
    }

    package func list(prefix wanted: String) throws(StoreError) -> [ObjectEntry] {
        let entries = try blocking(nil) { [self] () async throws(AWSError) in try await client.listAll(bucket: bucket, prefix: prefix + wanted) }
        return entries.compactMap { entry in
            // Consoles mark folders by empty objects that end with a slash; those are no keys of ours.
            (try? ObjectKey(String(entry.key.dropFirst(prefix.count)))).map { ObjectEntry(key: $0, sizeBytes: entry.sizeBytes) }
        }.sorted { $0.key < $1.key }
    }

    package func delete(_ key: ObjectKey) throws(StoreError) {
        try blocking(key) { [self] () async throws(AWSError) in try await client.delete(bucket: bucket, key: prefix + key.path) }
    }
}

// MARK: Writing

extension S3Store {
    private func write(_ key: ObjectKey, _ bytes: [UInt8], _ condition: PutCondition, _ mark: String?) async throws(AWSError) -> String {
        let path = prefix + key.path
        let metadata = mark.map { [Self.mark: $0] } ?? [:]
        if bytes.count <= partBytes {
            return try await client.put(bucket: bucket, key: path, body: bytes, condition: condition.s3, metadata: metadata)
        }
        // S3 allows 10,000 parts.
        let partBytes = max(partBytes, (bytes.count + 9_999) / 10_000)
        let uploadID = try await client.createMultipartUpload(bucket: bucket, key: path, metadata: metadata)
        do throws(AWSError) {
            let parts = try await inParallel((bytes.count + partBytes - 1) / partBytes) { [self] (index) async throws(AWSError) in
                let slice = bytes[(index * partBytes)..<min(bytes.count, (index + 1) * partBytes)]
                return try await client.uploadPart(bucket: bucket, key: path, uploadID: uploadID, number: index + 1, body: ByteBuffer(bytes: slice))
            }
            return try await client.completeMultipartUpload(bucket: bucket, key: path, uploadID: uploadID, parts: parts, condition: condition.s3)
        } catch {
            // Nobody knows the upload but this call, and an upload that was completed is gone already.
            try? await client.abortMultipartUpload(bucket: bucket, key: path, uploadID: uploadID)
            throw error
        }
    }

    private func stillHolds(_ condition: PutCondition, _ found: S3Head?) -> Bool {
        switch condition {
        case .none: true
        case .ifNoneMatch: found == nil
        case .ifMatch(let tag): found?.etag == tag.value
        }
    }

    /// An object that is to be replaced and does not exist (404) has been replaced by nothing.
    private func refused(_ error: AWSError, _ condition: PutCondition) -> AWSError {
        guard case .ifMatch = condition, error.kind == .notFound, error.code == "NoSuchKey" || error.code == "NotFound" else { return error }
        var error = error
        error.kind = .conflict
        return error
    }

    /// The question after an unclear put has failed as well.
    private func unknown(_ error: AWSError) -> AWSError {
        var error = error
        error.mayHaveHappened = true
        return error
    }
}

// MARK: Reading

extension S3Store {
    /// In pieces, several at once; `etag`: of the object that all of them must be from.
    private func ranges(_ path: String, _ range: Range<Int>, etag: String?) async throws(AWSError) -> [[UInt8]] {
        let count = (range.count + partBytes - 1) / partBytes
        if count == 1 { return [try await client.get(bucket: bucket, key: path, range: range, ifMatch: etag).bytes] }
        return try await inParallel(count) { [self] (index) async throws(AWSError) in
            let start = range.lowerBound + index * partBytes
            return try await client.get(bucket: bucket, key: path, range: start..<min(range.upperBound, start + partBytes), ifMatch: etag).bytes
        }
    }

    private func joined(_ pieces: [[UInt8]]) -> [UInt8] {
        if pieces.count == 1 { return pieces[0] }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(pieces.reduce(0) { $0 + $1.count })
        for piece in pieces { bytes += piece }
        return bytes
    }

    /// The answers in order; the first failure ends the rest.
    private func inParallel<Answer: Sendable>(
        _ count: Int, _ work: @escaping @Sendable (Int) async throws(AWSError) -> Answer
    ) async throws(AWSError) -> [Answer] {
        let results = await withTaskGroup(of: (Int, Result<Answer, AWSError>).self) { group in
            var started = 0
            var results: [(Int, Result<Answer, AWSError>)] = []
            func start() {
                guard started < count else { return }
                let index = started
                started += 1
                group.addTask {
                    do throws(AWSError) { return (index, .success(try await work(index))) } catch { return (index, .failure(error)) }
                }
            }
            for _ in 0..<concurrency { start() }
            for await result in group {
                results.append(result)
                if case .failure = result.1 {
                    group.cancelAll()
                    break
                }
                start()
            }
            return results
        }
        if let (_, failed) = results.last, case .failure(let error) = failed { throw error }
        var answers: [Answer] = []
        for (_, result) in results.sorted(by: { $0.0 < $1.0 }) { answers.append(try result.get()) }
        return answers
    }
}

// MARK: Errors

extension S3Store {
    private func blocking<Value: Sendable>(
        _ key: ObjectKey?, _ work: @escaping @Sendable () async throws(AWSError) -> Value
    ) throws(StoreError) -> Value {
        do throws(AWSError) { return try Blocking.wait(work) } catch { throw StoreError(error, key: key) }
    }
}

extension StoreError {
    /// `key`: what the call was about. An unclear outcome beats everything else that is known.
    package init(_ error: AWSError, key: ObjectKey?) {
        if error.mayHaveHappened {
            self = .unavailable(error.description, retry: error.retryable || error.kind == .conflict || error.kind == .cancelled)
            return
        }
        switch (error.kind, error.code, key) {
        case (.notFound, "NoSuchBucket", _): self = .invalidURI(error.description)
        case (.notFound, "NoSuchUpload", _): self = .unavailable(error.description, retry: true)  // Somebody aborted it under way.
        case (.notFound, _, let key?): self = .notFound(key)
        case (.conflict, _, let key?): self = .conflict(key)
        case (.credentials, _, _), (.denied, _, _): self = .denied(error.description)
        case (.configuration, _, _): self = .invalidURI(error.description)
        default: self = .unavailable(error.description, retry: error.retryable)
        }
    }
}

extension PutCondition {
    fileprivate var s3: S3Condition {
        switch self {
        case .none: .none
        case .ifNoneMatch: .ifNoneMatch
        case .ifMatch(let tag): .ifMatch(tag.value)
        }
    }
}

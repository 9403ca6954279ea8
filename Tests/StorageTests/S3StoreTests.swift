import AWS
import Storage
import Testing

struct S3StoreTests {
    private let key: ObjectKey

    init() throws { key = try ObjectKey("jobs/HEAD") }

    @Test func largeObjectsGoAndComeInParts() async throws {
        try await onOwnThread { [key] () throws in
            let s3 = FakeS3()
            let store = s3.store(partBytes: 1000)
            let content = bytes(10_500)
            let tag = try store.put(key, content, .ifNoneMatch)
            #expect(s3.log.filter { $0 == "PUT?" }.count == 11)
            #expect(throws: StoreError.conflict(key)) { try store.put(key, content, .ifNoneMatch) }
            #expect(s3.openUploads == 0)
            let found = try store.get(key)
            #expect(found.bytes == content && found.etag == tag)
            #expect(try store.get(key, range: 999..<5002) == Array(content[999..<5002]))
            _ = try store.put(key, bytes(2001), .ifMatch(tag))
            #expect(try store.get(key).bytes == bytes(2001))
        }
    }

    @Test func anObjectReplacedWhileItIsReadIsReadAnew() async throws {
        try await onOwnThread { [key] () throws in
            let content = bytes(5000)
            let box = FakeBox()
            let s3 = FakeS3 { request, _ in
                // Just before the second range of the first reading.
                if request.header("range") == "bytes=1000-1999", box.first() { box.fake?.overwrite("some/folder/jobs/HEAD", content.reversed()) }
                return nil
            }
            box.fake = s3
            let store = s3.store(partBytes: 1000)
            _ = try store.put(key, content)
            #expect(try store.get(key).bytes == content.reversed())
        }
    }

    // MARK: Puts whose answers are lost

    @Test func aCreateThatDidHappenIsASuccess() async throws {
        try await onOwnThread { [key] () throws in
            let s3 = FakeS3 { _, before in before == 0 ? .answerLost : nil }
            let tag = try s3.store().put(key, [1], .ifNoneMatch)
            #expect(s3.log == ["PUT", "PUT", "HEAD"])  // The second was refused: there is an object. It is ours.
            #expect(try s3.store().get(key).etag == tag)
        }
    }

    @Test func aReplacementThatDidHappenIsASuccess() async throws {
        try await onOwnThread { [key] () throws in
            let s3 = FakeS3 { _, before in before == 1 ? .answerLost : nil }
            let first = try s3.store().put(key, [1], .ifNoneMatch)
            let second = try s3.store().put(key, [2], .ifMatch(first))
            let found = try s3.store().get(key)
            #expect(found.bytes == [2] && found.etag == second)
        }
    }

    @Test func aLargeObjectThatWasCompletedIsASuccess() async throws {
        try await onOwnThread { [key] () throws in
            let box = FakeBox()
            let s3 = FakeS3 { request, _ in request.method == "POST" && request.query.contains { $0.name == "uploadId" } && box.first() ? .answerLost : nil }
            let store = s3.store(partBytes: 1000)
            let tag = try store.put(key, bytes(3000), .ifNoneMatch)
            #expect(try store.get(key).etag == tag)
            #expect(s3.openUploads == 0)
        }
    }

    @Test func aPutThatWasLostIsSentAgain() async throws {
        try await onOwnThread { [key] () throws in
            let s3 = FakeS3 { _, before in before < 3 ? .lost : nil }
            _ = try s3.store().put(key, [1], .ifNoneMatch)
            #expect(try s3.store().get(key).bytes == [1])
        }
    }

    @Test func anotherWritersObjectIsNeverTakenForOurs() async throws {
        try await onOwnThread { [key] () throws in
            let box = FakeBox()
            let s3 = FakeS3 { request, before in
                if request.method == "PUT", before == 0 { box.fake?.overwrite("some/folder/jobs/HEAD", [9]) }
                return before == 0 ? .lost : nil
            }
            box.fake = s3
            // Ours may have been there before the other's: nobody can say that it was not.
            #expect(isUnclear { () throws(StoreError) in try s3.store().put(key, [1], .ifNoneMatch) })
            #expect(try s3.store().get(key).bytes == [9])
        }
    }

    @Test func anAnsweredRefusalIsAConflict() async throws {
        try await onOwnThread { [key] () throws in
            let s3 = FakeS3()
            let store = s3.store()
            let tag = try store.put(key, [1])
            _ = try store.put(key, [2], .ifMatch(tag))
            #expect(throws: StoreError.conflict(key)) { try store.put(key, [3], .ifMatch(tag)) }
            #expect(throws: StoreError.conflict(try ObjectKey("none"))) { try store.put(try ObjectKey("none"), [3], .ifMatch(tag)) }
        }
    }

    @Test func whenNobodyAnswersThePutMayHaveHappened() async throws {
        try await onOwnThread { [key] () throws in
            let s3 = FakeS3 { _, _ in .lost }
            #expect(isUnclear { () throws(StoreError) in try s3.store().put(key, [1], .ifNoneMatch) })
        }
    }

    // MARK: Words

    @Test func errorsBecomeWhatCallersDecideBy() throws {
        func error(_ kind: AWSError.Kind, _ code: String, mayHaveHappened: Bool = false) -> StoreError {
            StoreError(AWSError(kind, "S3 PutObject", code: code, "", mayHaveHappened: mayHaveHappened), key: key)
        }
        #expect(error(.notFound, "NoSuchKey") == .notFound(key))
        #expect(error(.conflict, "PreconditionFailed") == .conflict(key))
        for (kind, code) in [(AWSError.Kind.denied, "AccessDenied"), (.credentials, "InvalidAccessKeyId")] {
            if case .denied = error(kind, code) {} else { Issue.record("\(code)") }
        }
        if case .invalidURI = error(.notFound, "NoSuchBucket") {} else { Issue.record("NoSuchBucket") }
        #expect(error(.throttled, "SlowDown").retry)
        #expect(error(.conflict, "PreconditionFailed", mayHaveHappened: true).retry)
    }
}

private func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) } }

/// True when the put ended with the words that it may have happened.
private func isUnclear(_ put: () throws(StoreError) -> ETag) -> Bool {
    do throws(StoreError) {
        _ = try put()
        return false
    } catch {
        if case .unavailable(_, retry: true) = error { return true }
        return false
    }
}

private final class FakeBox: @unchecked Sendable {
    weak var fake: FakeS3?
    private var asked = false

    /// True the first time.
    func first() -> Bool {
        defer { asked = true }
        return !asked
    }
}

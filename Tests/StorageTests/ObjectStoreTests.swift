import AWS
import Glibc
import Storage
import Synchronization
import Testing

/// What every kind of store promises, told once for each.
@Suite struct ObjectStoreTests {
    /// `s3` is a server at AWS_ENDPOINT_URL_S3 with the bucket in SWIFTWATER_TEST_BUCKET; scripts/cloud-test gives one. `fakeS3` is always there.
    enum Kind: CaseIterable {
        case memory, directory, fakeS3, s3

        static let allCases: [Kind] = [.memory, .directory, .fakeS3] + (getenv("SWIFTWATER_TEST_BUCKET") == nil ? [] : [.s3])
    }

    private func withStore(_ kind: Kind, _ story: @Sendable @escaping (any ObjectStore) throws -> Void) async throws {
        try await onOwnThread { try tell(kind, story) }
    }

    private func tell(_ kind: Kind, _ story: (any ObjectStore) throws -> Void) throws {
        switch kind {
        case .memory: try story(MemoryStore())
        case .directory: try withTemporaryFolder { try story(DirectoryStore(root: $0 + "/made/by/put")) }
        case .fakeS3: try story(FakeS3().store())
        case .s3:
            let bucket = try #require(getenv("SWIFTWATER_TEST_BUCKET").map { String(cString: $0) })
            try story(S3Store(client: S3Client(), bucket: bucket, prefix: "store-\(UInt64.random(in: 0 ... .max))", partBytes: 5 << 20))
        }
    }

    @Test(arguments: Kind.allCases) func readsBackWhatWasPut(kind: Kind) async throws {
        try await withStore(kind) { store in
            let key = try ObjectKey("jobs/a/chk-1/manifest")
            let tag = try store.put(key, Array("hello".utf8))
            let found = try store.get(key)
            #expect(found.bytes == Array("hello".utf8))
            #expect(found.etag == tag)
            #expect(try store.put(key, Array("other".utf8)) != tag)
            #expect(try store.get(key).bytes == Array("other".utf8))
        }
    }

    @Test(arguments: Kind.allCases) func putIfNoneMatchRefusesWhatExists(kind: Kind) async throws {
        try await withStore(kind) { store in
            let key = try ObjectKey("x")
            _ = try store.put(key, [1], .ifNoneMatch)
            #expect(throws: StoreError.conflict(key)) { try store.put(key, [2], .ifNoneMatch) }
            #expect(try store.get(key).bytes == [1])
            try store.delete(key)
            _ = try store.put(key, [2], .ifNoneMatch)
            #expect(try store.get(key).bytes == [2])
        }
    }

    @Test(arguments: Kind.allCases) func putIfMatchFollowsTheTag(kind: Kind) async throws {
        try await withStore(kind) { store in
            let key = try ObjectKey("jobs/HEAD")
            #expect(throws: StoreError.conflict(key)) { try store.put(key, [0], .ifMatch(ETag("none yet"))) }
            let first = try store.put(key, [1], .ifNoneMatch)
            let second = try store.put(key, [2], .ifMatch(first))
            #expect(throws: StoreError.conflict(key)) { try store.put(key, [3], .ifMatch(first)) }
            _ = try store.put(key, [4], .ifMatch(second))
            #expect(try store.get(key).bytes == [4])
        }
    }

    @Test(arguments: Kind.allCases) func rangesAreExact(kind: Kind) async throws {
        try await withStore(kind) { store in
            let key = try ObjectKey("data")
            _ = try store.put(key, Array(0..<100))
            #expect(try store.get(key, range: 10..<13) == [10, 11, 12])
            #expect(try store.get(key, range: 0..<100) == Array(0..<100))
            #expect(try store.get(key, range: 100..<100) == [])
            #expect(throws: StoreError.outOfRange(key, 99..<101, sizeBytes: 100)) { try store.get(key, range: 99..<101) }
            #expect(throws: StoreError.outOfRange(key, -1..<5, sizeBytes: 100)) { try store.get(key, range: -1..<5) }
        }
    }

    @Test(arguments: Kind.allCases) func missingObjectsAreNotFoundAndMayBeDeleted(kind: Kind) async throws {
        try await withStore(kind) { store in
            let key = try ObjectKey("a/b")
            #expect(throws: StoreError.notFound(key)) { try store.get(key) }
            #expect(throws: StoreError.notFound(key)) { try store.get(key, range: 0..<1) }
            try store.delete(key)
            _ = try store.put(key, [])
            #expect(try store.get(key).bytes == [])
            let (above, below) = (try ObjectKey("a"), try ObjectKey("a/b/c"))
            #expect(throws: StoreError.notFound(above)) { try store.get(above) }
            #expect(throws: StoreError.notFound(below)) { try store.get(below) }
        }
    }

    @Test(arguments: Kind.allCases) func listsByStringPrefixInOrder(kind: Kind) async throws {
        try await withStore(kind) { store in
            for name in ["chk-10", "chk-1/b", "chk-1/a/deep", "chk-2/x", "other"] { _ = try store.put(try ObjectKey(name), [1, 2]) }
            func names(_ prefix: String) throws -> [String] { try store.list(prefix: prefix).map(\.key.path) }
            #expect(try names("") == ["chk-1/a/deep", "chk-1/b", "chk-10", "chk-2/x", "other"])
            #expect(try names("chk-1") == ["chk-1/a/deep", "chk-1/b", "chk-10"])
            #expect(try names("chk-1/") == ["chk-1/a/deep", "chk-1/b"])
            #expect(try names("chk-1/a") == ["chk-1/a/deep"])
            #expect(try names("nothing/here") == [])
            #expect(try names("../") == [])
            #expect(try store.list(prefix: "chk-2").map(\.sizeBytes) == [2])
        }
    }

    @Test(arguments: Kind.allCases) func oddKeysAreTold(kind: Kind) async throws {
        try await withStore(kind) { store in
            // SeaweedFS takes a backslash for a slash.
            let names = (kind == .s3 ? [] : ["back\\slash"]) + ["a b", "a+b", "ä/ü😀", "100%", "q?x=1&y", "semi;colon:", "(paren)'*!", "quote\"<&>", "tilde~hash#", "%2F", "x.y-z_"]
            for name in names { _ = try store.put(try ObjectKey("odd/" + name), Array(name.utf8)) }
            for name in names { #expect(try store.get(try ObjectKey("odd/" + name)).bytes == Array(name.utf8), "\(name)") }
            #expect(Set(try store.list(prefix: "odd/").map(\.key.path)) == Set(names.map { "odd/" + $0 }))
            for name in names { try store.delete(try ObjectKey("odd/" + name)) }
            #expect(try store.list(prefix: "odd/") == [])
        }
    }

    @Test(arguments: Kind.allCases) func largeObjectsReadBack(kind: Kind) async throws {
        try await withStore(kind) { store in
            let key = try ObjectKey("large")
            let content = (0..<(12 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
            let tag = try store.put(key, content, .ifNoneMatch)
            #expect(throws: StoreError.conflict(key)) { try store.put(key, content, .ifNoneMatch) }
            let found = try store.get(key)
            #expect(found.bytes == content && found.etag == tag)
            #expect(try store.get(key, range: 5_242_000..<11_000_000) == Array(content[5_242_000..<11_000_000]))
        }
    }

    @Test(arguments: Kind.allCases) func ofManyWritersOneCreates(kind: Kind) async throws {
        try await withStore(kind) { store in
            for round in 0..<20 {
                let key = try ObjectKey("round-\(round)/object")
                let winners = inThreads(4) { thread in
                    (try? store.put(key, [UInt8](repeating: UInt8(thread), count: 4096), .ifNoneMatch)) != nil
                }
                #expect(winners.filter(\.self).count == 1)
                #expect(try store.get(key).bytes == [UInt8](repeating: UInt8(winners.firstIndex(of: true)!), count: 4096))
            }
        }
    }

    @Test(arguments: Kind.allCases) func compareAndSwapLosesNoIncrement(kind: Kind) async throws {
        try await withStore(kind) { store in
            let key = try ObjectKey("jobs/counter")
            _ = try store.put(key, [0], .ifNoneMatch)
            _ = inThreads(4) { _ in
                var done = 0
                while done < 15 {
                    guard let seen = try? store.get(key) else { return false }
                    if (try? store.put(key, [seen.bytes[0] + 1], .ifMatch(seen.etag))) != nil { done += 1 }
                }
                return true
            }
            #expect(try store.get(key).bytes == [60])
        }
    }
}

/// Runs `body` in that many threads at once and answers what each returned, in order.
private func inThreads(_ count: Int, _ body: @Sendable @escaping (Int) -> Bool) -> [Bool] {
    let results = Results(count)
    var threads: [pthread_t] = []
    for number in 0..<count {
        let work = Unmanaged.passRetained(Work {
            let answer = body(number)
            results.values.withLock { $0[number] = answer }
        })
        var thread = pthread_t()
        pthread_create(&thread, nil, { argument in
            Unmanaged<Work>.fromOpaque(argument!).takeRetainedValue().body()
            return nil
        }, work.toOpaque())
        threads.append(thread)
    }
    for thread in threads { pthread_join(thread, nil) }
    return results.values.withLock { $0.map { $0 ?? false } }
}

private final class Results: Sendable {
    let values: Mutex<[Bool?]>
    init(_ count: Int) { values = Mutex(Array(repeating: nil, count: count)) }
}

private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

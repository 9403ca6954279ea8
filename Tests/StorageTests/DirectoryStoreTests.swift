import Glibc
import Storage
import Testing

@Suite struct DirectoryStoreTests {
    @Test func twoStoresOfOneFolderSeeEachOther() throws {
        try withTemporaryFolder { folder in
            let (one, two) = (DirectoryStore(root: folder), DirectoryStore(root: folder + "/"))
            let key = try ObjectKey("k")
            let tag = try one.put(key, [1], .ifNoneMatch)
            #expect(throws: StoreError.conflict(key)) { try two.put(key, [2], .ifNoneMatch) }
            _ = try two.put(key, [3], .ifMatch(tag))
            #expect(try one.get(key).bytes == [3])
        }
    }

    @Test func tornTemporaryFilesAreNeverListedAndGoAway() throws {
        try withTemporaryFolder { folder in
            let store = DirectoryStore(root: folder, leftoverAgeSeconds: 0)
            _ = try store.put(try ObjectKey("chk-1/manifest"), [1])
            let torn = folder + "/chk-1/.tmp-99999-0-torn"
            let descriptor = open(torn, O_CREAT | O_WRONLY, 0o644)
            write(descriptor, "half", 4)

            flock(descriptor, LOCK_EX)  // As a living writer holds it.
            #expect(try store.list(prefix: "").map(\.key.path) == ["chk-1/manifest"])
            #expect(access(torn, F_OK) == 0)

            close(descriptor)  // As the kernel does for a killed one.
            #expect(try store.list(prefix: "chk").map(\.key.path) == ["chk-1/manifest"])
            #expect(access(torn, F_OK) != 0)
        }
    }

    @Test func youngTemporaryFilesAreLeftAlone() throws {
        try withTemporaryFolder { folder in
            let store = DirectoryStore(root: folder)
            let young = folder + "/.tmp-1-0-young"
            close(open(young, O_CREAT | O_WRONLY, 0o644))
            let listed = try store.list(prefix: "")
            #expect(listed.isEmpty)
            #expect(access(young, F_OK) == 0)
        }
    }

    @Test func nothingIsLeftBesideTheObjects() throws {
        try withTemporaryFolder { folder in
            let store = DirectoryStore(root: folder)
            let key = try ObjectKey("job/chk-1/manifest")
            let tag = try store.put(key, [1], .ifNoneMatch)
            _ = try? store.put(key, [2], .ifNoneMatch)
            _ = try? store.put(key, [2], .ifMatch(ETag("stale")))
            _ = try store.put(key, [3], .ifMatch(tag))
            #expect(names(in: folder + "/job/chk-1") == ["manifest"])
            try store.delete(key)
            #expect(names(in: folder) == [".locks"])
        }
    }

    @Test func aKeyThatIsAFolderIsRefusedInWords() throws {
        try withTemporaryFolder { folder in
            let store = DirectoryStore(root: folder)
            _ = try store.put(try ObjectKey("a/b"), [1])
            #expect(throws: StoreError.self) { try store.put(try ObjectKey("a"), [1]) }
            #expect(throws: StoreError.self) { try store.put(try ObjectKey("a/b/c"), [1]) }
            #expect(try store.list(prefix: "").map(\.key.path) == ["a/b"])
        }
    }

    /// Not as something that may pass: a job would wait for ever.
    @Test func aRootThatCannotBeAFolderIsRefusedInWords() throws {
        try withTemporaryFolder { folder in
            close(open(folder + "/file", O_CREAT | O_WRONLY, 0o644))
            for (root, words) in [(folder + "/file/checkpoints", "Not a directory"), ("/proc/nowhere", "No such file or directory")] {
                let error = #expect(throws: StoreError.self) { try DirectoryStore(root: root).put(try ObjectKey("k"), [1], .ifNoneMatch) }
                guard case .invalidURI(let told)? = error else { Issue.record("\(String(describing: error))"); continue }
                #expect(told.contains(root) && told.hasSuffix(words))
            }
        }
    }

    @Test func aFullDiskIsSaidSoAndLeavesTheOldObject() throws {
        try withTemporaryFolder { folder in
            guard mount("tmpfs", folder, "tmpfs", 0, "size=64k") == 0 else { return print("skipped: may not mount a small file system") }
            defer { umount(folder) }
            let store = DirectoryStore(root: folder)
            let key = try ObjectKey("chk-1/manifest")
            _ = try store.put(key, [1])
            let error = #expect(throws: StoreError.self) { try store.put(key, [UInt8](repeating: 7, count: 1 << 20)) }
            #expect(error?.description.hasPrefix("no space left in storage: ") == true)
            let found = try store.get(key).bytes
            #expect(found == [1])
            #expect(names(in: folder + "/chk-1") == ["manifest"])
        }
    }

    @Test func keysThatLeaveTheStoreAreRefused() {
        for path in ["", "/a", "a//b", "a/", "../a", "a/../b", ".", "a/./b", "a\0b", ".locks/1", "a/.tmp-1", String(repeating: "x/", count: 600) + "x",
                     String(repeating: "x", count: 256)] {
            #expect(throws: StoreError.self, "\(path.debugDescription)") { try ObjectKey(path) }
        }
        #expect(throws: Never.self) { try ObjectKey("a/.hidden/b.c-d_e=f ü") }
    }

    @Test func urisNameStores() throws {
        func root(_ uri: String) throws -> String? { (try openStore(uri: uri) as? DirectoryStore)?.root }
        #expect(try root("file:///var/x") == "/var/x")
        #expect(try root("file:/var/x/") == "/var/x")
        #expect(try root("file://localhost/var/x") == "/var/x")
        #expect(try root("/var/x") == "/var/x")
        #expect(try root("some/where") == "some/where")
        for uri in ["s3://", "s3:///p", "s3a:bucket/p", "s3://key:secret@bucket/p", "hdfs://n/p", "file://host/p", ""] {
            #expect(throws: StoreError.self, "\(uri)") { try openStore(uri: uri) }
        }
        for uri in ["s3://bucket", "s3://bucket/p", "s3a://bucket/p/q/", "S3A://bucket", "s3n://bucket", "s3p://bucket"] {
            #expect(try openStore(uri: uri) is S3Store, "\(uri)")
        }
    }

    @Test func tagsTellContentsApart() {
        var tags: Set<ETag> = []
        for length in 0..<200 {
            var bytes = [UInt8](repeating: 0, count: length)
            tags.insert(ETag(of: bytes))
            for position in bytes.indices {
                bytes[position] = 1
                tags.insert(ETag(of: bytes))
                bytes[position] = 0
            }
        }
        #expect(tags.count == 200 + (0..<200).reduce(0, +))
        #expect(ETag(of: Array("swiftwater".utf8)) == ETag(of: Array("swiftwater".utf8)))
    }
}

private func names(in folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } }
        if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
}

import Glibc
import Synchronization

/// Objects as files below one folder, shared by every process that opens the same folder.
///
/// A put writes `.tmp-…` beside the object, syncs it, and moves it into place: `link` where the object must not exist (the kernel decides who was first),
/// `rename` elsewhere. Writers that replace or remove hold the key's lock file under `.locks`, so that between comparing a tag and moving the file nothing
/// changes. Killed writers leave a temporary file behind: no listing shows it, and a later listing removes it.
package final class DirectoryStore: ObjectStore {
    package let root: String
    private let leftoverAgeSeconds: Int
    private let temporaries = Atomic<UInt64>(0)

    private static let lockFiles: UInt64 = 64

    /// The folder is created by the first put. Temporary files older than `leftoverAgeSeconds` without a living writer are removed by listings.
    package init(root: String, leftoverAgeSeconds: Int = 600) {
        self.root = root.count > 1 && root.hasSuffix("/") ? String(root.dropLast()) : root
        self.leftoverAgeSeconds = leftoverAgeSeconds
    }

    package func put(_ key: ObjectKey, _ bytes: [UInt8], _ condition: PutCondition) throws(StoreError) -> ETag {
        var attempts = 0
        while true {
            do throws(CallFailed) {
                if try write(bytes, to: key, condition) { return ETag(of: bytes) }
            } catch {
                attempts += 1
                // A concurrent delete may remove a folder that has just become empty, between our making it and our using it.
                if error.code == ENOENT && attempts < 16 { continue }
                // Folders cannot be made there, as in /proc.
                if error.code == ENOENT { throw .invalidURI("\(error.call) \(error.path): \(String(cString: strerror(ENOENT)))") }
                throw error.storeError
            }
            throw .conflict(key)
        }
    }

    package func get(_ key: ObjectKey) throws(StoreError) -> (bytes: [UInt8], etag: ETag) {
        do throws(CallFailed) {
            if let bytes = try contents(of: path(of: key)) { return (bytes, ETag(of: bytes)) }
        } catch {
            throw error.storeError
        }
        throw .notFound(key)
    }

    package func get(_ key: ObjectKey, range: Range<Int>) throws(StoreError) -> [UInt8] {
        let found: (bytes: [UInt8], sizeBytes: Int)?
        do throws(CallFailed) {
            found = try read(range, of: path(of: key))
        } catch {
            throw error.storeError
        }
        guard let found else { throw .notFound(key) }
        guard found.bytes.count == range.count else { throw .outOfRange(key, range, sizeBytes: found.sizeBytes) }
        return found.bytes
    }

    package func list(prefix: String) throws(StoreError) -> [ObjectEntry] {
        var entries: [ObjectEntry] = []
        let folder = prefix.lastIndex(of: "/").map { String(prefix[..<$0]) } ?? ""
        if !folder.isEmpty && (try? ObjectKey(folder)) == nil { return [] }  // No key begins like this.
        do throws(CallFailed) {
            try list(folder: folder, prefix: prefix, into: &entries)
        } catch {
            throw error.storeError
        }
        return entries.sorted { $0.key < $1.key }
    }

    package func delete(_ key: ObjectKey) throws(StoreError) {
        let target = path(of: key)
        do throws(CallFailed) {
            if access(target, F_OK) != 0 && errno == ENOENT { return }
            let lock = try lockFile(for: key)
            try lock.lock()
            // Not synced: an object that comes back after a power cut is collected again.
            if unlink(target) != 0 && ![ENOENT, ENOTDIR, EISDIR].contains(errno) { throw CallFailed("unlink", target) }
        } catch {
            throw error.storeError
        }
        removeEmptyFolders(from: parent(of: target))
    }
}

// MARK: Writing

extension DirectoryStore {
    /// False when the condition does not hold.
    private func write(_ bytes: [UInt8], to key: ObjectKey, _ condition: PutCondition) throws(CallFailed) -> Bool {
        let target = path(of: key)
        let folder = parent(of: target)
        // Saves writing in vain; the decision falls below.
        let exists = access(target, F_OK) == 0
        switch condition {
        case .none: break
        case .ifNoneMatch: if exists { return false }
        case .ifMatch: if !exists { return false }
        }

        try makeFolders(folder)
        let temporary = folder + "/" + temporaryName()
        let file = try OpenFile(temporary, flags: O_WRONLY | O_CREAT | O_EXCL)
        defer { unlink(temporary) }  // Gone already where it was renamed.
        try file.lock()  // Says to listings that its writer lives.
        try file.writeAll(bytes)
        try file.sync()

        switch condition {
        case .ifNoneMatch:
            if link(temporary, target) != 0 {
                if errno == EEXIST { return false }
                throw CallFailed("link", target)
            }
        case .none, .ifMatch:
            let lock = try lockFile(for: key)
            try lock.lock()
            if case .ifMatch(let tag) = condition {
                guard let current = try contents(of: target), ETag(of: current) == tag else { return false }
            }
            if rename(temporary, target) != 0 { throw CallFailed("rename", target) }
        }
        try syncFolder(folder)
        return true
    }

    private func temporaryName() -> String {
        let number = temporaries.wrappingAdd(1, ordering: .relaxed).oldValue
        return ".tmp-\(getpid())-\(number)-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
    }

    /// Keys share a fixed number of lock files; two keys on one file only wait for each other.
    private func lockFile(for key: ObjectKey) throws(CallFailed) -> OpenFile {
        try makeFolders(root + "/.locks")
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in key.path.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return try OpenFile(root + "/.locks/\((hash >> 32) % Self.lockFiles)", flags: O_RDWR | O_CREAT, mode: 0o666)
    }

    private func makeFolders(_ folder: String) throws(CallFailed) {
        if mkdir(folder, 0o777) == 0 { return try syncFolder(parent(of: folder)) }
        if errno == EEXIST { return }
        guard errno == ENOENT, folder != parent(of: folder) else { throw CallFailed("mkdir", folder) }
        try makeFolders(parent(of: folder))
        if mkdir(folder, 0o777) != 0 && errno != EEXIST { throw CallFailed("mkdir", folder) }
        try syncFolder(parent(of: folder))
    }

    private func syncFolder(_ folder: String) throws(CallFailed) {
        try OpenFile(folder, flags: O_RDONLY | O_DIRECTORY).sync()
    }

    /// Object stores have no folders: one without objects does not stay.
    private func removeEmptyFolders(from folder: String) {
        var folder = folder
        while folder.utf8.count > root.utf8.count && rmdir(folder) == 0 { folder = parent(of: folder) }
    }
}

// MARK: Reading

extension DirectoryStore {
    private func path(of key: ObjectKey) -> String { root + "/" + key.path }

    private func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Nil when there is no object of this name; a folder is none.
    private func openObject(_ path: String) throws(CallFailed) -> OpenFile? {
        let file: OpenFile
        do throws(CallFailed) {
            file = try OpenFile(path, flags: O_RDONLY)
        } catch {
            if error.code == ENOENT || error.code == ENOTDIR { return nil }
            throw error
        }
        let isObject = try file.status().st_mode & S_IFMT == S_IFREG
        if isObject { return file }
        return nil
    }

    private func contents(of path: String) throws(CallFailed) -> [UInt8]? {
        guard let file = try openObject(path) else { return nil }
        return try file.read(from: 0, count: Int(try file.status().st_size))
    }

    /// Fewer bytes than asked for when the object does not hold the range.
    private func read(_ range: Range<Int>, of path: String) throws(CallFailed) -> (bytes: [UInt8], sizeBytes: Int)? {
        guard let file = try openObject(path) else { return nil }
        let size = Int(try file.status().st_size)
        guard range.lowerBound >= 0, range.upperBound <= size else { return ([], size) }
        return (try file.read(from: range.lowerBound, count: range.count), size)
    }

    /// `folder` is relative to the root, empty for the root itself.
    private func list(folder: String, prefix: String, into entries: inout [ObjectEntry]) throws(CallFailed) {
        let absolute = folder.isEmpty ? root : root + "/" + folder
        guard let stream = opendir(absolute) else {
            if errno == ENOENT || errno == ENOTDIR { return }
            throw CallFailed("opendir", absolute)
        }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." || name == ".locks" { continue }
            let path = folder.isEmpty ? name : folder + "/" + name
            if name.hasPrefix(".tmp-") {
                removeLeftover(root + "/" + path)
                continue
            }
            // Below the prefix, or on the way to it.
            guard path.utf8.starts(with: prefix.utf8) || prefix.utf8.starts(with: (path + "/").utf8) else { continue }
            var status = stat()
            if stat(root + "/" + path, &status) != 0 { continue }  // Removed since it was read.
            if status.st_mode & S_IFMT == S_IFDIR {
                try list(folder: path, prefix: prefix, into: &entries)
            } else if status.st_mode & S_IFMT == S_IFREG, let key = try? ObjectKey(path) {
                entries.append(ObjectEntry(key: key, sizeBytes: Int(status.st_size)))
            }
        }
    }

    private func removeLeftover(_ path: String) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        guard let file = try? OpenFile(path, flags: O_RDONLY), let status = try? file.status() else { return }
        // The age guards the moment between a writer's creating and its locking the file.
        if now.tv_sec - status.st_mtim.tv_sec >= leftoverAgeSeconds && file.tryLock() { unlink(path) }
    }
}

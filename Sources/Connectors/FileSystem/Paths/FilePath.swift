import Dataflow
import Glibc

/// Paths of local files, and calls of the system with errors in words.
package enum FilePath {
    /// The path of a `path` option: `file:///data`, `file:/data`, `/data` or relative to the process's directory.
    static func local(_ text: String) throws(StreamError) -> String {
        var path = text
        if path.hasPrefix("file:") {
            path.removeFirst(5)
            if path.hasPrefix("//") { path.removeFirst(2) }
        } else if let scheme = path.range(ofScheme: "://") {
            throw StreamError(.user, retry: false, "path \(text): the filesystem connector reads file:// and s3:// paths, not '\(scheme)'")
        }
        while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
        guard !path.isEmpty else { throw StreamError(.user, retry: false, "the path is empty") }
        return path
    }

    static func join(_ folder: String, _ name: String) -> String { folder.hasSuffix("/") ? folder + name : folder + "/" + name }

    static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func name(_ path: String) -> String { path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path }

    /// Of a path below the table's: empty for a file at the top.
    static func folder(of path: String) -> String { path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "" }

    /// These folders below the table's and all that hold them, the table's own (empty) included; each once, sorted.
    package static func withFoldersAbove(_ folders: [String]) -> [String] {
        var all: Set<ExactText> = []
        for var folder in folders {
            while all.insert(ExactText(folder)).inserted, !folder.isEmpty { folder = self.folder(of: folder) }
        }
        return all.sorted().map(\.text)
    }

    /// Writes all of it.
    static func write(_ file: Int32, _ bytes: UnsafeRawPointer, _ count: Int, _ path: String) throws(StreamError) {
        var from = 0
        while from < count {
            let written = Glibc.write(file, bytes + from, count - from)
            if written < 0, errno == EINTR { continue }
            guard written >= 0 else { throw error("writing", path) }
            from += written
        }
    }

    static func error(_ action: String, _ path: String, _ code: Int32 = errno) -> StreamError {
        if code == ENOSPC || code == EDQUOT {
            return StreamError(.externalSystem, retry: true, "\(action) \(path): no space left, \(freeBytes(parent(path))) bytes free")
        }
        return StreamError(.externalSystem, retry: true, "\(action) \(path): \(String(cString: strerror(code)))")
    }

    static func freeBytes(_ folder: String) -> UInt64 {
        var numbers = statvfs()
        return statvfs(folder, &numbers) == 0 ? UInt64(numbers.f_bavail) * UInt64(numbers.f_frsize) : 0
    }

    struct Status {
        var size: Int64
        var modified: Int64
        var isFolder: Bool
    }

    /// Nil: there is nothing.
    static func status(_ path: String) throws(StreamError) -> Status? {
        var numbers = stat()
        guard stat(path, &numbers) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw error("reading", path)
        }
        return status(numbers)
    }

    static func status(_ numbers: stat) -> Status {
        Status(
            size: Int64(numbers.st_size), modified: Int64(numbers.st_mtim.tv_sec) * 1_000_000_000 + Int64(numbers.st_mtim.tv_nsec),
            isFolder: numbers.st_mode & S_IFMT == S_IFDIR)
    }

    /// The names in a folder, sorted. A folder that is gone has none.
    static func names(_ folder: String) throws(StreamError) -> [String] {
        guard let handle = opendir(folder) else {
            if errno == ENOENT { return [] }
            throw error("listing", folder)
        }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        // By bytes: the order must not hang on the machine's language.
        return names.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
    }

    /// Makes the folder and those above it that are missing, so that they outlive a power cut. `sync`: makes a folder's new entries durable.
    package static func makeFolder(_ path: String, sync: (String) throws(StreamError) -> Void = FilePath.sync) throws(StreamError) {
        if mkdir(path, 0o777) == 0 { return try sync(parent(path)) }
        if errno == EEXIST { return }
        guard errno == ENOENT, parent(path) != path else { throw error("creating", path) }
        try makeFolder(parent(path), sync: sync)
        // Another process may be faster, and may not have synced yet.
        if mkdir(path, 0o777) != 0, errno != EEXIST { throw error("creating", path) }
        try sync(parent(path))
    }

    /// Makes renames and new files in a folder durable.
    package static func sync(folder: String) throws(StreamError) {
        let file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { throw error("syncing", folder) }
        defer { close(file) }
        // Some file systems cannot sync a folder, and need not.
        if fsync(file) != 0, errno != EINVAL, errno != ENOTSUP { throw error("syncing", folder) }
    }
}

extension String {
    /// The text in front of `mark`, when it is there and is no path.
    fileprivate func range(ofScheme mark: String) -> String? {
        guard let colon = firstIndex(of: ":"), self[colon...].hasPrefix(mark), !self[..<colon].contains("/") else { return nil }
        return String(self[..<colon]) + mark
    }
}

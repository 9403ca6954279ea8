import Dataflow
import Glibc

/// Where a process's own lines can be read again: a folder with a file that is set aside when it is full, or, without a folder, the last
/// lines in memory under one name.
package struct LogFiles: Sendable {
    package struct Entry: Hashable, Sendable {
        package var name: String
        package var bytes: Int64
        /// Milliseconds since the epoch.
        package var modified: Int64

        package init(name: String, bytes: Int64, modified: Int64) {
            self.name = name
            self.bytes = bytes
            self.modified = modified
        }
    }

    package struct Part: Hashable, Sendable {
        package var bytes: [UInt8]
        /// Where the bytes begin, and how long the file was.
        package var offset: Int64
        package var size: Int64

        package init(bytes: [UInt8], offset: Int64, size: Int64) {
            self.bytes = bytes
            self.offset = offset
            self.size = size
        }
    }

    private static let memoryBytes = 512 << 10
    private static let maximumEntries = 1000

    package let name: String
    private let folder: String?
    private let maximumBytes: Int64
    private let retained: Int
    private var descriptor: Int32 = -1
    private var written: Int64 = 0
    /// Without a folder: the last lines, and when the last one came.
    private var tail: [UInt8] = []
    private var modified: Int64 = SystemClock.wallMilliseconds()

    /// In memory alone.
    init(name: String) {
        self.name = name
        folder = nil
        (maximumBytes, retained) = (0, 0)
    }

    init(folder: String, name: String, maximumBytes: Int, retained: Int) throws(StreamError) {
        self.name = name
        self.folder = folder
        self.maximumBytes = Int64(maximumBytes)
        self.retained = retained
        mkdir(folder, 0o755)
        open()
        if descriptor < 0 { throw StreamError(.user, retry: false, "\(folder)/\(name) cannot be written: \(String(cString: strerror(errno)))") }
    }

    private mutating func open() {
        guard let folder else { return }
        descriptor = Glibc.open("\(folder)/\(name)", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        written = descriptor < 0 ? 0 : max(0, Int64(lseek(descriptor, 0, SEEK_END)))
    }

    /// What was said before this place was known.
    mutating func adopt(_ earlier: LogFiles) { if !earlier.tail.isEmpty { append(earlier.tail) } }

    mutating func append(_ line: [UInt8]) {
        if let folder {
            if descriptor >= 0, written > 0, written + Int64(line.count) > maximumBytes { roll(folder) }
            guard descriptor >= 0 else { return }
            line.withUnsafeBytes { writeAll($0, to: descriptor) }
            written += Int64(line.count)
        } else {
            tail += line
            modified = SystemClock.wallMilliseconds()
            guard tail.count > 2 * LogFiles.memoryBytes else { return }
            // From the beginning of a line on.
            let from = tail.count - LogFiles.memoryBytes
            tail.removeFirst(tail[from...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? from)
        }
    }

    /// `name` becomes `name.1`, that one `name.2`, up to the number that is kept.
    private mutating func roll(_ folder: String) {
        close(descriptor)
        if retained == 0 {
            unlink("\(folder)/\(name)")
        } else {
            for number in stride(from: retained - 1, to: 0, by: -1) { rename("\(folder)/\(name).\(number)", "\(folder)/\(name).\(number + 1)") }
            rename("\(folder)/\(name)", "\(folder)/\(name).1")
        }
        open()
    }

    // MARK: Reading

    /// Several processes may share a folder: its own are the one that is written and those that were set aside.
    private func isOwn(_ file: String) -> Bool { file == name || file.hasPrefix(name + ".") }

    /// Sorted by name.
    var entries: [Entry] {
        guard let folder else { return [Entry(name: name, bytes: Int64(tail.count), modified: modified)] }
        guard let listing = opendir(folder) else { return [] }
        defer { closedir(listing) }
        var entries: [Entry] = []
        while let item = readdir(listing), entries.count < LogFiles.maximumEntries {
            let name = withUnsafeBytes(of: &item.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            var about = stat()
            guard isOwn(name) else { continue }
            guard fstatat(dirfd(listing), name, &about, AT_SYMLINK_NOFOLLOW) == 0, about.st_mode & S_IFMT == S_IFREG else { continue }
            entries.append(Entry(name: name, bytes: Int64(about.st_size), modified: Int64(about.st_mtim.tv_sec) * 1000 + Int64(about.st_mtim.tv_nsec) / 1_000_000))
        }
        return entries.sorted { $0.name < $1.name }
    }

    /// Only its own, regular files of the folder itself: a name with a slash is no file of it, and links are not followed.
    func read(_ file: String, offset: Int64, limit: Int) -> Part? {
        guard let folder else {
            guard file == name else { return nil }
            let from = LogFiles.start(offset, of: Int64(tail.count))
            return Part(bytes: Array(tail[Int(from)...].prefix(limit)), offset: from, size: Int64(tail.count))
        }
        guard isOwn(file), !file.utf8.contains(UInt8(ascii: "/")), !file.utf8.contains(0) else { return nil }
        return LogFiles.read(path: "\(folder)/\(file)", O_NOFOLLOW, offset: offset, limit: limit)
    }

    /// What this process has printed, where its standard output is a file; elsewhere nothing.
    package static func standardOutput(offset: Int64, limit: Int) -> Part {
        var about = stat()
        guard fstat(STDOUT_FILENO, &about) == 0, about.st_mode & S_IFMT == S_IFREG,
            let part = read(path: "/proc/self/fd/1", 0, offset: offset, limit: limit)
        else { return Part(bytes: [], offset: 0, size: 0) }
        return part
    }

    private static func read(path: String, _ flags: Int32, offset: Int64, limit: Int) -> Part? {
        // A pipe in the folder must not hold the reader.
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var about = stat()
        guard fstat(descriptor, &about) == 0, about.st_mode & S_IFMT == S_IFREG else { return nil }
        let size = Int64(about.st_size)
        let from = start(offset, of: size)
        let count = min(Int64(max(limit, 0)), size - from)
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, filled in
            while filled < Int(count) {
                let got = pread(descriptor, buffer.baseAddress.unsafelyUnwrapped + filled, Int(count) - filled, off_t(from) + filled)
                if got <= 0 { break }
                filled += got
            }
        }
        return Part(bytes: bytes, offset: from, size: size)
    }

    private static func start(_ offset: Int64, of size: Int64) -> Int64 { offset < 0 ? max(0, size + max(offset, -size)) : min(offset, size) }
}

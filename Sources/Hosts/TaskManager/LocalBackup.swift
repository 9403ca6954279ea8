import Dataflow
import Glibc
import Settings
import State
import Synchronization

/// State objects that this process wrote, kept on its own disk: after a loss elsewhere the survivors restore from them, not from the store.
///
/// A copy is found under the name, the length and the checksum that the manifest gives its object; what is read from it is checked as what comes
/// from the store is. Its file has no name: whatever ends the process, nothing stays behind. Any thread may call.
package final class LocalBackup: Sendable {
    private struct Copies {
        /// By the object's key.
        var kept: [String: Copy] = [:]
        var bytes = 0
    }

    private let folder: String
    private let limit: Int
    private let copies = Mutex(Copies())

    /// - Parameter limit: bytes of all copies together.
    package init(folder: String, limit: Int) {
        self.folder = folder
        self.limit = limit
    }

    /// Nil when it is turned off. Jobs may say otherwise for themselves.
    package convenience init?(_ configuration: Configuration, log: Log) {
        let limit = configuration.get(TaskManagerOptions.localStateSize).bytes
        guard limit > 0 else { return nil }
        let named = configuration.get(TaskManagerOptions.temporaryDirectories)?.split { $0 == "," || $0 == ":" }.first.map(String.init)
        let folder = named ?? getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        // There a copy would only take away what tasks need.
        guard !isInMemory(folder) else {
            log(.info, "LocalBackup", "No local copies of checkpoints: \(folder) is in memory (io.tmp.dirs names another folder)")
            return nil
        }
        self.init(folder: folder, limit: limit)
    }

    /// Nil, or why there is no copy now. Slow.
    package func keep(_ object: Manifest.StateObject, _ bytes: [UInt8], of job: JobID, checkpoint: CheckpointID) -> String? {
        let hasRoom = copies.withLock { copies in
            guard copies.kept[object.key] == nil, copies.bytes + bytes.count <= limit else { return false }
            copies.bytes += bytes.count
            return true
        }
        guard hasRoom else { return "taskmanager.state.local.max-size is used up" }
        switch LocalBackup.write(bytes, in: folder) {
        case .failure(let reason):
            copies.withLock { $0.bytes -= bytes.count }
            return "\(folder): \(reason.words)"
        case .success(let file):
            copies.withLock { $0.kept[object.key] = Copy(object: object, job: job, checkpoint: checkpoint, file: file) }
            return nil
        }
    }

    /// The copy of exactly this object.
    package func copy(of object: Manifest.StateObject) -> Copy? {
        copies.withLock { copies in copies.kept[object.key].flatMap { $0.object == object ? $0 : nil } }
    }

    package func drop(_ object: Manifest.StateObject) { drop { $0.object.key == object.key } }
    /// Nobody restores from earlier checkpoints any more.
    package func drop(_ job: JobID, before checkpoint: CheckpointID) { drop { $0.job == job && $0.checkpoint < checkpoint } }
    package func drop(_ job: JobID) { drop { $0.job == job } }

    /// Bytes of all copies.
    package var bytes: Int { copies.withLock { $0.bytes } }

    private func drop(_ isOver: (Copy) -> Bool) {
        copies.withLock { copies in
            for (key, copy) in copies.kept where isOver(copy) {
                copies.kept[key] = nil
                copies.bytes -= copy.object.bytes
            }
        }
    }

    package struct Copy: Sendable {
        fileprivate let object: Manifest.StateObject
        fileprivate let job: JobID
        fileprivate let checkpoint: CheckpointID
        fileprivate let file: File

        package func read(_ range: Range<Int>) throws(StreamError) -> [UInt8] {
            guard let bytes = file.read(range) else {
                throw StreamError(.externalSystem, retry: true, "its local copy cannot be read: \(String(cString: strerror(errno)))")
            }
            return bytes
        }
    }
}

extension LocalBackup {
    fileprivate struct Reason: Error {
        var words: String
    }

    private static func write(_ bytes: [UInt8], in folder: String) -> Result<File, Reason> {
        var system = statvfs()
        guard statvfs(folder, &system) == 0 else { return .failure(.last) }
        // Others write there, too.
        guard Int(system.f_bavail) * Int(system.f_frsize) / 2 > bytes.count else { return .failure(Reason(words: "there is little room left")) }
        let name = "\(folder)/swiftwater-state-\(getpid())-\(hex(.random(in: 0 ... .max)))"
        let descriptor = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return .failure(.last) }
        let file = File(descriptor)
        guard unlink(name) == 0 else { return .failure(.last) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress.unsafelyUnwrapped + written, min($0.count - written, 1 << 26)) }
            guard count > 0 || (count < 0 && errno == EINTR) else { return .failure(.last) }
            written += max(count, 0)
        }
        return .success(file)
    }

    /// An open file, closed with its last user.
    fileprivate final class File: Sendable {
        private let descriptor: Int32

        init(_ descriptor: Int32) { self.descriptor = descriptor }
        deinit { close(descriptor) }

        /// Nil, with `errno`: it cannot be read, or ends before the range does.
        func read(_ range: Range<Int>) -> [UInt8]? {
            let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { target, count in
                while count < range.count {
                    let read = pread(descriptor, target.baseAddress.unsafelyUnwrapped + count, range.count - count, range.lowerBound + count)
                    guard read > 0 || (read < 0 && errno == EINTR) else { return }
                    count += max(read, 0)
                }
            }
            return bytes.count == range.count ? bytes : nil
        }
    }
}

private func text(of path: String) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 14)
    while case let count = read(descriptor, &piece, piece.count), count > 0 { bytes += piece[..<count] }
    return String(decoding: bytes, as: UTF8.self)
}

/// The file system with the longest path that the folder lies below is one in memory.
private func isInMemory(_ folder: String) -> Bool {
    guard let resolved = realpath(folder, nil) else { return false }
    defer { free(resolved) }
    let path = String(cString: resolved) + "/"
    var found = (length: 0, type: "")
    for line in text(of: "/proc/self/mounts").split(separator: "\n") {
        let words = line.split(separator: " ")
        guard words.count > 2, path.hasPrefix(words[1].hasSuffix("/") ? words[1] : words[1] + "/"), words[1].utf8.count >= found.length else { continue }
        found = (words[1].utf8.count, String(words[2]))
    }
    return found.type == "tmpfs" || found.type == "ramfs"
}

extension LocalBackup.Reason {
    fileprivate static var last: Self { Self(words: String(cString: strerror(errno))) }
}

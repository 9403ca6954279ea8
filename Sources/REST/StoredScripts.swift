import Dataflow
import FoundationEssentials
import Glibc
import HTTPTypes
import Hosts
import Synchronization

/// Scripts in a folder: `web.upload.dir`, or one of the process's own that is made for the first. A file's name is the script's id:
/// `<uuid>_<name>.sql`, nothing else is looked at.
package final class StoredScripts: Sendable {
    package struct Script: Hashable {
        package var id: String
        package var name: String
        /// Milliseconds since the epoch.
        package var uploaded: Int64
    }

    package static let maximumBytes = 1 << 20
    package static let maximumScripts = 100

    private let folder: Mutex<String?>

    package init(folder: String?) { self.folder = Mutex(folder) }

    /// Newest first.
    package func all() -> [Script] {
        guard let folder = folder.withLock({ $0 }), let listing = opendir(folder) else { return [] }
        defer { closedir(listing) }
        var scripts: [Script] = []
        while let item = readdir(listing) {
            let id = withUnsafeBytes(of: &item.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            var about = stat()
            guard StoredScripts.isID(id), fstatat(dirfd(listing), id, &about, AT_SYMLINK_NOFOLLOW) == 0, about.st_mode & S_IFMT == S_IFREG else { continue }
            scripts.append(Script(id: id, name: String(id.dropFirst(37)), uploaded: Int64(about.st_mtim.tv_sec) * 1000 + Int64(about.st_mtim.tv_nsec) / 1_000_000))
        }
        return scripts.sorted { ($0.uploaded, $0.id) > ($1.uploaded, $1.id) }
    }

    /// Answers where it lies.
    package func store(_ bytes: [UInt8], name: String) throws(Refusal) -> String {
        let name = String(name.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last ?? "")
        guard name.hasSuffix(".sql") else { throw Refusal(.badRequest, "only SQL scripts are stored, under a name that ends in .sql: Java archives cannot be run") }
        guard bytes.count <= StoredScripts.maximumBytes else { throw Refusal(.contentTooLarge, "a script may have \(StoredScripts.maximumBytes >> 10) KiB") }
        guard String(validating: bytes, as: UTF8.self) != nil, !bytes.contains(0) else { throw Refusal(.badRequest, "the script is no UTF-8 text") }
        guard all().count < StoredScripts.maximumScripts else {
            throw Refusal(.badRequest, "\(StoredScripts.maximumScripts) scripts are stored already; delete some first")
        }
        let plain = String(name.dropLast(4).map { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) ? $0 : "_" }.prefix(100))
        let id = "\(UUID().uuidString.lowercased())_\(plain.isEmpty ? "script" : plain).sql"
        let folder = try place()
        let path = "\(folder)/\(id)"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        let written = descriptor < 0 ? -1 : write(descriptor, bytes, bytes.count)
        if descriptor >= 0 { close(descriptor) }
        guard written == bytes.count else {
            unlink(path)
            throw Refusal(.internalServerError, "the script cannot be written to web.upload.dir: \(String(cString: strerror(errno)))")
        }
        return path
    }

    package func text(of id: String) throws(Refusal) -> String {
        let file = try path(of: id)
        let descriptor = open(file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw Refusal(.notFound, "There is no script \(id)") }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: StoredScripts.maximumBytes + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress.unsafelyUnwrapped + count, $0.count - count) }
            if got <= 0 { break }
            count += got
        }
        guard count <= StoredScripts.maximumBytes else { throw Refusal(.badRequest, "script \(id) is too large") }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    package func remove(_ id: String) throws(Refusal) {
        if unlink(try path(of: id)) != 0 { throw Refusal(.notFound, "There is no script \(id)") }
    }

    /// The folder with the scripts in it; what else somebody has put there stays, and the folder with it.
    package static func remove(folder: String) {
        for script in StoredScripts(folder: folder).all() { unlink("\(folder)/\(script.id)") }
        rmdir(folder)
    }

    private func path(of id: String) throws(Refusal) -> String {
        guard StoredScripts.isID(id), let folder = folder.withLock({ $0 }) else { throw Refusal(.notFound, "There is no script \(id)") }
        return "\(folder)/\(id)"
    }

    private func place() throws(Refusal) -> String {
        let made = folder.withLock { folder -> String? in
            if let folder {
                mkdir(folder, 0o700)
                return folder
            }
            var template = Array("/tmp/swiftwater-web-XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else { return nil }
            let made = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            removeAtExit(made)
            folder = made
            return folder
        }
        guard let made else { throw Refusal(.internalServerError, "no folder for scripts can be made; set web.upload.dir") }
        return made
    }

    /// 36 characters of a UUID, `_`, a plain name.
    private static func isID(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count > 41, bytes.count < 200, bytes[36] == UInt8(ascii: "_"), text.hasSuffix(".sql") else { return false }
        let isHex = bytes[..<36].allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) || $0 == UInt8(ascii: "-") }
        return isHex && bytes[37...].allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || ".-_".utf8.contains(byte)
        }
    }
}

/// Folders of the process's own: they end with it.
private let ownFolders = Mutex<[String]>([])

private func removeAtExit(_ folder: String) {
    let isFirst = ownFolders.withLock { folders in
        folders.append(folder)
        return folders.count == 1
    }
    if isFirst { atexit { for folder in ownFolders.withLock({ $0 }) { StoredScripts.remove(folder: folder) } } }
}

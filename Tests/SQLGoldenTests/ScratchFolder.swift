import Glibc

/// A folder of its own below the system's temporary one, removed at the end.
final class ScratchFolder {
    let path: String

    init() {
        var template = Array("/tmp/swiftwater-golden-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil, "no temporary folder")
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { ScratchFolder.remove(path) }

    func write(_ text: String, to file: String) {
        guard let handle = fopen(path + "/" + file, "wb") else { return }
        fputs(text, handle)
        fclose(handle)
    }

    /// The lines of all files in the folder whose names do not begin with a dot, sorted by their bytes.
    func lines(in folder: String) -> [String] {
        var lines: [String] = []
        for name in ScratchFolder.names(path + "/" + folder) where !name.hasPrefix(".") {
            guard let handle = fopen("\(path)/\(folder)/\(name)", "rb") else { continue }
            defer { fclose(handle) }
            var bytes = [UInt8](repeating: 0, count: 4 << 20)
            let count = fread(&bytes, 1, bytes.count, handle)
            lines += String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n").map(String.init)
        }
        return lines.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func names(_ path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    private static func remove(_ path: String) {
        for name in names(path) { remove(path + "/" + name) }
        if unlink(path) != 0 { rmdir(path) }
    }
}

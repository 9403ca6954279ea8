import Glibc

/// A fresh folder for one story, removed after it.
func withTemporaryFolder(_ story: (String) throws -> Void) throws {
    var template = Array("/tmp/swiftwater-storage-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { preconditionFailure("no temporary folder") }
    let folder = String(cString: made)
    defer { removeTree(folder) }
    try story(folder)
}

private func removeTree(_ path: String) {
    if let stream = opendir(path) {
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } }
            if name != "." && name != ".." { removeTree(path + "/" + name) }
        }
        closedir(stream)
    }
    remove(path)
}

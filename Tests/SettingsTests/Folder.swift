import Glibc
import Settings

/// A fresh folder with these files (names may have folders), removed after the story.
func withFolder(_ files: [String: String], _ story: (String) throws -> Void) throws {
    var template = Array("/tmp/swiftwater-settings-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { preconditionFailure("no temporary folder") }
    let folder = String(cString: made)
    var toRemove = [folder]
    defer { for path in toRemove.sorted(by: { $0.utf8.count > $1.utf8.count }) { remove(path) } }
    for (name, text) in files {
        var path = folder
        let parts = name.split(separator: "/")
        for part in parts.dropLast() {
            path += "/" + part
            mkdir(path, 0o777)
            toRemove.append(path)
        }
        path += "/" + parts[parts.count - 1]
        toRemove.append(path)
        guard let file = fopen(path, "w") else { preconditionFailure("cannot write \(path)") }
        fputs(text, file)
        fclose(file)
    }
    try story(folder)
}

func load(config: String) throws -> Configuration {
    var loaded = Configuration()
    try withFolder(["config.yaml": config]) { loaded = try Configuration.load(folder: $0) }
    return loaded
}

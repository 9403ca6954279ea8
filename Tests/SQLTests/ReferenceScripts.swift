import Glibc
import Testing

/// A script that Flink itself has run, with its results (Tests/Fixtures/flink-sql).
struct ReferenceScript: CustomTestStringConvertible {
    let name: String
    let setup: String
    let query: String
    /// Flink's error, or nil where it gave rows.
    let error: String?

    var testDescription: String { name }
    var script: String { setup + "\n" + query }

    static let cases: [ReferenceScript] = folder("cases").filter { !$0.hasPrefix(".") }.map { name in
        ReferenceScript(
            name: name, setup: read("cases/\(name)/setup.sql") ?? "", query: read("cases/\(name)/query.sql") ?? "",
            error: read("cases/\(name)/expected_error.txt"))
    }

    static let nexmark: [ReferenceScript] = folder("sql").filter { $0.hasPrefix("q") }.map { name in
        ReferenceScript(name: name, setup: read("sql/setup.sql") ?? "", query: read("sql/\(name)") ?? "", error: nil)
    }

    private static let root = String(#filePath.prefix(upTo: #filePath.range(ofSuffix: "SQLTests/"))) + "Fixtures/flink-sql/"

    private static func folder(_ path: String) -> [String] {
        guard let directory = opendir(root + path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func read(_ path: String) -> String? {
        guard let file = fopen(root + path, "rb") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}

extension String {
    fileprivate func range(ofSuffix folder: String) -> Index {
        var position = endIndex
        while position > startIndex {
            if self[position...].hasPrefix(folder) { return position }
            position = index(before: position)
        }
        return startIndex
    }
}

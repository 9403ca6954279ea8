import Columnar
import Connectors
import Dataflow
import Glibc

/// A folder of its own under the system's temporary one, removed at the end.
final class TemporaryFolder {
    let path: String

    init() {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/swiftwater-connectors-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
    }

    deinit { remove(path) }

    private func remove(_ path: String) {
        for name in names(path) { remove(path + "/" + name) }
        if unlink(path) != 0 { rmdir(path) }
    }

    func names(_ folder: String? = nil) -> [String] {
        guard let handle = opendir(folder ?? path) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    @discardableResult func write(_ name: String, _ text: String) -> String {
        let full = path + "/" + name
        var folder = path
        for part in name.split(separator: "/").dropLast() {
            folder += "/" + part
            mkdir(folder, 0o777)
        }
        let file = open(full, O_WRONLY | O_CREAT | O_TRUNC, 0o666)
        _ = Array(text.utf8).withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
        close(file)
        return full
    }

    func read(_ name: String) -> String {
        let file = open(path + "/" + name, O_RDONLY)
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = bytes.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
        return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    }

    /// What readers see of the folder.
    var files: [String] { names().filter { !$0.hasPrefix("_") } }

    /// The committed files' text together.
    var committed: String {
        files.filter { !$0.hasPrefix(".") }.map { read($0) }.joined()
    }
}

func now(_ milliseconds: Int64) -> Now { Now(instant: .milliseconds(milliseconds), wallMilliseconds: 1_800_000_000_000 + milliseconds) }

/// Reads rows of lines that lie in memory.
func rows(_ reader: any LineReader, _ types: [DataType], _ text: String, batchRows: Int = 100) throws -> [[Value]] {
    try rows(reader, types, Array(text.utf8), batchRows: batchRows)
}

func rows(_ reader: any LineReader, _ types: [DataType], _ bytes: [UInt8], batchRows: Int = 100) throws -> [[Value]] {
    let buffer = Buffer.zeroed(capacity: bytes.count + 64)
    buffer.typed(UInt8.self).update(from: bytes, count: bytes.count)
    var count = bytes.count
    if bytes.last != 0x0A { buffer.typed(UInt8.self)[count] = 0x0A; count += 1 }
    let fill = ColumnFill(types, capacity: batchRows)
    reader.isLast = true
    reader.mayHoldNonASCII = bytes.contains { $0 >= 0x80 }
    var at = 0, all: [[Value]] = []
    while at < count {
        at = try reader.read(buffer.typed(UInt8.self), from: at, to: count, limit: count, maximumRows: batchRows, into: fill)
        all += fill.finish().rows
    }
    return all
}

func string(_ text: String) -> Value { .string(text) }

func schema(_ fields: (String, TypeKind)...) -> Schema { Schema(fields.map { Schema.Field($0.0, DataType($0.1)) }) }

func sourceSpec(_ schema: Schema, _ options: [String: String], tableColumns: [String] = [], partitionKeys: [String] = []) -> SourceSpec {
    SourceSpec(table: "t", options: options, physical: schema, output: schema, tableColumns: tableColumns, partitionKeys: partitionKeys)
}

/// Every row of a source, read by one reader until nothing is left.
func readAll(_ source: any Source, batchRows: Int = 7, states: [SplitState]? = nil) throws -> [[Value]] {
    let reader = try source.makeReader(ReaderContext(subtask: 0, parallelism: 1, batchRows: batchRows))
    try reader.add(states ?? source.discover(known: []).splits.map { SplitState(split: $0) })
    var rows: [[Value]] = []
    var time: Int64 = 0
    while true {
        switch try reader.poll(maximumRows: batchRows, at: now(time)) {
        case .batch(let batch, _): rows += batch.rows
        case .splitFinished: continue
        case .nothing(let until): time = max(time, (until?.nanoseconds ?? 0) / 1_000_000) + 1
        case .needsSplits:
            reader.close()
            return rows
        }
    }
}

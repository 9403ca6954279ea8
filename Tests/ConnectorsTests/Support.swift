import Columnar
import Connectors
import Dataflow
import Glibc
import Synchronization

/// A folder of its own under the system's temporary one, removed at the end.
final class TemporaryFolder {
    let path: String

    init() {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/swiftwater-connectors-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
    }

    deinit { remove(full: path) }

    private func remove(full path: String) {
        for name in names(path) { remove(full: path + "/" + name) }
        if unlink(path) != 0 { rmdir(path) }
    }

    /// A file, or a folder with what is in it.
    func remove(_ name: String) { remove(full: path + "/" + name) }

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
        case .splitFinished, .splitEnded: continue
        case .nothing(let until): time = max(time, (until?.nanoseconds ?? 0) / 1_000_000) + 1
        case .needsSplits:
            reader.close()
            return rows
        }
    }
}

/// Files below a folder that this process has open.
enum OpenFiles {
    static func below(_ folder: String) -> Int {
        guard let handle = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(handle) }
        var count = 0
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } }
            var target = [CChar](repeating: 0, count: 4096)
            let length = readlink("/proc/self/fd/" + name, &target, target.count - 1)
            if length > 0, String(decoding: target[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self).hasPrefix(folder + "/") { count += 1 }
        }
        return count
    }
}

/// The same work on several threads at once.
enum OwnThreads {
    private final class Start: @unchecked Sendable {
        let work: @Sendable (Int) -> String?
        var barrier = pthread_barrier_t()
        let words = Mutex<[String]>([])
        let next = Mutex(0)

        init(_ work: @escaping @Sendable (Int) -> String?) { self.work = work }
    }

    /// What they answered, in any order.
    static func run(_ count: Int, _ work: @escaping @Sendable (Int) -> String?) -> [String] {
        let start = Start(work)
        pthread_barrier_init(&start.barrier, nil, UInt32(count))
        var threads: [pthread_t] = []
        for _ in 0..<count {
            var thread = pthread_t()
            pthread_create(&thread, nil, { raw in
                guard let raw else { return nil }
                let start = Unmanaged<Start>.fromOpaque(raw).takeRetainedValue()
                pthread_barrier_wait(&start.barrier)
                let number = start.next.withLock { next in
                    next += 1
                    return next
                }
                if let word = start.work(number) { start.words.withLock { $0.append(word) } }
                return nil
            }, Unmanaged.passRetained(start).toOpaque())
            threads.append(thread)
        }
        for thread in threads { pthread_join(thread, nil) }
        return start.words.withLock { $0 }
    }
}

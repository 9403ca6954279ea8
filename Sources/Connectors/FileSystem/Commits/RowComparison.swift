import Columnar
import Dataflow
import Synchronization

/// Compares a table's files with the rows that should be in them: as lines, each so many times, whatever their order.
package final class RowComparison: Sendable {
    private struct State {
        /// Lines that are expected and not found yet (or the other way round, below zero).
        var missing: [Line: Int] = [:]
        var expected = 0
        var found = 0
        var failure: MalformedValue?
    }

    /// As bytes: texts may equal each other and not be the same.
    private struct Line: Hashable, Comparable {
        /// Of its partition.
        var folder: [UInt8]
        var bytes: [UInt8]
        /// It ends in a line feed.
        var isWhole = true

        static func < (left: Line, right: Line) -> Bool {
            left.folder == right.folder ? left.bytes.lexicographicallyPrecedes(right.bytes) : left.folder.lexicographicallyPrecedes(right.folder)
        }

        var text: String {
            let line = String(decoding: bytes, as: UTF8.self) + (isWhole ? "" : " (without an end of line)")
            return folder.isEmpty ? line : "\(String(decoding: folder, as: UTF8.self)): \(line)"
        }
    }

    private let spec: SinkSpec
    private let format: Format
    private let partitionDefault: String
    private let state = Mutex(State())

    /// `spec`: the table that is written.
    package init(_ spec: SinkSpec) throws(StreamError) {
        let options = Options(spec.table, spec.options)
        self.spec = spec
        self.format = try Format(options)
        self.partitionDefault = options.string("partition.default-name") ?? PartitionPath.defaultName
    }

    /// Rows that should be there.
    package func expect(_ batch: Batch) {
        let keys = Set(spec.partitionKeys)
        let writer = format.makeWriter(spec.schema, columns: spec.schema.fields.indices.filter { !keys.contains($0) })
        state.withLock { state in
            for row in 0..<batch.count {
                let folder = spec.partitionKeys.isEmpty
                    ? "" : PartitionPath.folder(batch, row, keys: spec.partitionKeys, names: spec.schema.names, defaultName: partitionDefault)
                let text = TextBuffer()
                let result = [Int32(row)].withUnsafeBufferPointer { rows -> Result<Void, MalformedValue> in
                    do throws(MalformedValue) { return .success(try writer.write(batch, rows: rows, to: text)) } catch { return .failure(error) }
                }
                if case .failure(let error) = result { state.failure = error }
                state.expected += 1
                add(1, UnsafeBufferPointer(start: text.pointer, count: text.count), folder, &state)
            }
        }
    }

    /// The rows that are there.
    package func find(_ table: TableFiles) throws(StreamError) {
        for file in table.files {
            let folder = file.path.split(separator: "/").dropLast().filter { $0.utf8.contains(0x3D) }.joined(separator: "/")
            var text: [UInt8] = []
            let gzip = file.path.hasSuffix(".gz") ? GzipReader() : nil
            try table.read(file.path) { (piece) throws(StreamError) in
                guard let gzip else { return text += piece }
                do throws(MalformedValue) { try gzip.append(piece, to: &text) } catch {
                    throw StreamError(.user, retry: false, "\(file.path): \(error.message)")
                }
            }
            state.withLock { state in text.withUnsafeBufferPointer { state.found += add(-1, $0, folder, &state) } }
        }
    }

    /// The number of lines. What follows the last line feed is one that nobody expects.
    @discardableResult
    private func add(_ count: Int, _ text: UnsafeBufferPointer<UInt8>, _ folder: String, _ state: inout State) -> Int {
        let folder = Array(folder.utf8)
        var lines = text.split(separator: 0x0A, omittingEmptySubsequences: false).map { Line(folder: folder, bytes: Array($0)) }
        if let last = lines.popLast(), !last.bytes.isEmpty { lines.append(Line(folder: folder, bytes: last.bytes, isWhole: false)) }
        for line in lines {
            let new = (state.missing[line] ?? 0) + count
            state.missing[line] = new == 0 ? nil : new
        }
        return lines.count
    }

    package struct Outcome {
        package var expected: Int
        package var found: Int
        /// With how often.
        package var missing: [(line: String, count: Int)]
        package var tooMany: [(line: String, count: Int)]
    }

    package func outcome() throws(StreamError) -> Outcome {
        let state = state.withLock { $0 }
        if let failure = state.failure { throw StreamError(.user, retry: false, "table \(spec.table): \(failure.message)") }
        let lines = state.missing.sorted { $0.key < $1.key }.map { (line: $0.key.text, count: $0.value) }
        return Outcome(
            expected: state.expected, found: state.found, missing: lines.filter { $0.count > 0 },
            tooMany: lines.filter { $0.count < 0 }.map { ($0.line, -$0.count) })
    }
}

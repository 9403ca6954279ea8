import Columnar
import Dataflow
import Synchronization

/// Compares a table's files with the rows that should be in them: as lines, each so many times, whatever their order.
package final class RowComparison: Sendable {
    private struct State {
        /// Lines that are expected and not found yet (or the other way round, below zero), behind the folders of their partition.
        var missing: [String: Int] = [:]
        var expected = 0
        var found = 0
        var failure: MalformedValue?
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
                add(1, text.text, folder, &state)
            }
        }
    }

    /// The rows that are there.
    package func find(_ table: TableFiles) throws(StreamError) {
        for file in table.files {
            let folder = file.path.split(separator: "/").dropLast().filter { $0.contains("=") }.joined(separator: "/")
            var text: [UInt8] = []
            let gzip = file.path.hasSuffix(".gz") ? GzipReader() : nil
            try table.read(file.path) { (piece) throws(StreamError) in
                guard let gzip else { return text += piece }
                do throws(MalformedValue) { try gzip.append(piece, to: &text) } catch {
                    throw StreamError(.user, retry: false, "\(file.path): \(error.message)")
                }
            }
            state.withLock { state in
                state.found += text.count { $0 == 0x0A }
                add(-1, String(decoding: text, as: UTF8.self), folder, &state)
            }
        }
    }

    private func add(_ count: Int, _ text: String, _ folder: String, _ state: inout State) {
        for line in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast() {
            let key = folder + "\n" + String(decoding: line, as: UTF8.self)
            let new = (state.missing[key] ?? 0) + count
            state.missing[key] = new == 0 ? nil : new
        }
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
        let lines = state.missing.sorted { $0.key < $1.key }.map { (line: shown($0.key), count: $0.value) }
        return Outcome(
            expected: state.expected, found: state.found, missing: lines.filter { $0.count > 0 },
            tooMany: lines.filter { $0.count < 0 }.map { ($0.line, -$0.count) })
    }

    private func shown(_ key: String) -> String {
        let parts = key.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        return parts[0].isEmpty ? String(parts[1]) : "\(parts[0]): \(parts[1])"
    }
}

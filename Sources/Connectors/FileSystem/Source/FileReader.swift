import Columnar
import Dataflow

/// Reads splits of files one after the other. A position is the offset of the next row's first byte.
package final class FileReader: SourceReader {
    private let source: FileSource
    /// The columns that stand in the rows, and for every physical column its place among them (nil: in the path, or said of the file).
    private let fileSchema: Schema
    private let places: [Int?]
    private let fileFields: [String]
    private let fill: ColumnFill
    private let wake: @Sendable () -> Void
    private var waiting: [SplitState] = []
    private var current: (state: SplitState, file: FileText, reader: any LineReader, constants: [Value])?
    private var skippedBefore = (rows: 0, values: 0)

    init(_ source: FileSource, _ context: ReaderContext) {
        self.source = source
        let keys = Set(source.spec.partitionKeys + (source.spec.metadata ?? [:]).keys)
        self.fileSchema = Schema(source.spec.physical.fields.filter { !keys.contains($0.name) })
        let inFile = fileSchema
        self.places = source.spec.physical.fields.map { inFile.index(of: $0.name) }
        let all = source.spec.tableColumns.isEmpty ? source.spec.physical.names : source.spec.tableColumns
        self.fileFields = all.filter { !keys.contains($0) }
        self.fill = ColumnFill(fileSchema.types, capacity: context.batchRows)
        self.wake = context.wake
    }

    /// Rows dropped and values that became NULL because of `ignore-parse-errors`.
    package var skippedRows: Int { skippedBefore.rows + (current?.reader.skippedRows ?? 0) }
    package var skippedValues: Int { skippedBefore.values + (current?.reader.skippedValues ?? 0) }

    package func add(_ splits: [SplitState]) { waiting += splits }

    package func poll(maximumRows: Int, at now: Now) throws(StreamError) -> SourcePoll {
        if current == nil {
            guard !waiting.isEmpty else { return .needsSplits }
            try open(waiting.removeFirst())
        }
        guard let (state, file, reader, constants) = current else { return .needsSplits }
        do throws(MalformedRow) {
            try file.read(reader, maximumRows: min(maximumRows, fill.capacity), into: fill)
        } catch {
            throw malformed(error, file)
        }
        if let failure = file.failure { throw failure }
        guard fill.count > 0 || !file.isWaiting && !file.isDone else {
            if file.isWaiting { return .nothing(until: nil) }
            file.close()
            skippedBefore = (skippedRows, skippedValues)
            current = nil
            return .splitFinished(state.split.id)
        }
        return .batch(withConstants(fill.finish(), constants), split: state.split.id)
    }

    package func snapshot() throws(StreamError) -> [SplitState] {
        var states = waiting
        if let current {
            var state = current.state
            state.position = Position.encode(current.file.position)
            states.insert(state, at: 0)
        }
        return states
    }

    package func close() {
        current?.file.close()
        current = nil
    }

    private func open(_ state: SplitState) throws(StreamError) {
        let split = try FileSplit(state.split)
        let position = try Position.decode(state.position, of: state.split)
        let file = FileText(split, try source.bytes(of: split, wake: wake), position: position)
        let values = PartitionPath.values(split.relativePath, defaultName: source.partitionDefault)
        var constants: [Value] = []
        for (column, field) in source.spec.physical.fields.enumerated() where places[column] == nil {
            if let key = source.spec.metadata?[field.name] {
                constants.append(split.metadata(key))
                continue
            }
            guard let text = values[field.name] else {
                throw StreamError(.user, retry: false, "\(split.path): its path has no folder '\(field.name)=…' for the partition column")
            }
            constants.append(try constant(text, field, split.path))
        }
        current = (state, file, source.format.makeReader(fileSchema, fileFields: fileFields), constants)
    }

    private func constant(_ text: [UInt8]?, _ field: Schema.Field, _ path: String) throws(StreamError) -> Value {
        guard let text else { return .null }
        if field.type.kind.isCharacter { return .bytes(text) }
        let one = ColumnFill([field.type], capacity: 1)
        let fits = text.withUnsafeBufferPointer { raw -> Bool in
            guard let base = raw.baseAddress else { return false }
            if case .timestamp(let precision) = field.type.kind {
                guard let ticks = TimestampText.parse(base, count: raw.count, precision: precision) else { return false }
                one.set(0, 0, ticks)
                return true
            }
            return !field.type.kind.isBinary && !field.type.kind.isTimestamp && ScalarText.store(base, raw.count, 0, one, 0)
        }
        guard fits else {
            throw StreamError(.user, retry: false, "\(path): '\(String(decoding: text, as: UTF8.self))' is no \(field.type.kind) for partition column '\(field.name)'")
        }
        one.count = 1
        return one.finish().columns[0].value(0)
    }

    private func withConstants(_ batch: Batch, _ constants: [Value]) -> Batch {
        if constants.isEmpty { return batch }
        var constants = constants[...]
        let columns = places.enumerated().map { column, place in
            if let place { return batch.columns[place] }
            return Column.constant(constants.removeFirst(), type: source.spec.physical.fields[column].type, count: batch.count)
        }
        return Batch(count: batch.count, columns: columns)
    }

    private func malformed(_ row: MalformedRow, _ file: FileText) -> StreamError {
        let (place, excerpt) = file.describe(row)
        return StreamError(
            .user, retry: false,
            "\(file.split.path) \(place) column \(row.offset - row.rowStart + 1): \(row.message): \(excerpt)")
    }
}

/// Offsets as eight bytes.
enum Position {
    static func encode(_ offset: Int64) -> [UInt8] {
        var writer = ByteWriter()
        writer.put(offset)
        return writer.bytes
    }

    /// Nil: from the split's start.
    static func decode(_ bytes: [UInt8], of split: Split) throws(StreamError) -> Int64? {
        if bytes.isEmpty { return nil }
        guard let offset = try? ByteReader.reading(bytes, { reader throws(MalformedBytes) in try reader.number(Int64.self) }), offset >= 0, bytes.count == 8
        else { throw StreamError(.user, retry: false, "the position of split \(split.label) is damaged") }
        return offset
    }
}

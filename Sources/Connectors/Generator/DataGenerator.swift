import Columnar
import Dataflow
import Glibc

/// `'connector' = 'datagen'`: rows made up from their numbers, so that a replay gives the same ones (only times are "now").
///
/// Rows are dealt to eight splits in small blocks; one reader with all of them gives the rows in order. With the option
/// `template` each row is a line of JSON made from that template (`Template`), read like any other JSON.
package struct DataGenerator: Source {
    static let manySplits = 8

    let spec: SourceSpec
    let fields: [FieldGenerator]
    let template: Template?
    /// Nil: without end.
    let rows: Int64?
    /// Over all splits.
    let rowsPerSecond: Double
    /// Row n is there from this moment on, plus n / `rowsPerSecond`: milliseconds since 1970. Nil: readers keep the rate, from when they begin.
    let starts: Int64?
    let splits: Int
    /// Rows of one split that follow each other in the table.
    let blockRows: Int64

    init(_ spec: SourceSpec) throws(StreamError) {
        let options = Options(spec.table, spec.options)
        self.spec = spec
        let seed = UInt64(bitPattern: try options.integer("seed") ?? 0)
        let names = spec.tableColumns.isEmpty ? spec.physical.names : spec.tableColumns
        var fields: [FieldGenerator] = []
        for field in spec.physical.fields {
            fields.append(try FieldGenerator(field, place: names.firstIndex(of: field.name) ?? 0, options: options, seed: seed))
        }
        self.fields = fields
        self.template = try options.string("template").map { path throws(StreamError) in try Template(file: path, seed: seed) }
        let wanted = try options.integer("number-of-rows")
        if let wanted, wanted < 0 { throw options.error("'number-of-rows' is not below 0") }
        let bounds = fields.compactMap(\.rows) + [wanted].compactMap(\.self)
        self.rows = bounds.min()
        self.rowsPerSecond = try options.number("rows-per-second") ?? 10_000
        self.starts = try options.integer("starts-at")
        guard rowsPerSecond > 0 else { throw options.error("'rows-per-second' is above 0") }
        self.splits = rows.map { $0 <= 8_192 } == true ? 1 : DataGenerator.manySplits
        self.blockRows = Int64(min(max(rowsPerSecond / 100, 1), 8_192))
    }

    package func discover(known: Set<String>) -> (splits: [Split], isComplete: Bool) {
        let all = (0..<splits).map { Split(id: "rows-\($0)", label: "rows \($0) of \(splits)", payload: [UInt8($0)]) }
        return (all.filter { !known.contains($0.id) }, true)
    }

    package var discoveryInterval: Duration? { nil }

    package var withoutEnd: String? { rows == nil ? "it makes rows for ever; 'number-of-rows' says how many" : nil }

    /// The rate is that of all splits together, and without `number-of-rows` none of them ends.
    package var distribution: SplitDistribution { .spread }

    package func makeReader(_ context: ReaderContext) -> any SourceReader { Reader(self, context) }

    /// The table's row number of a split's `count`-th row.
    func number(_ split: Int, _ count: Int64) -> Int64 {
        (count / blockRows * Int64(splits) + Int64(split)) * blockRows + count % blockRows
    }

    /// How many rows there are at a moment.
    func arrived(at wall: Int64, since starts: Int64) -> Int64 {
        wall < starts ? 0 : min(Int64(Double(wall - starts) * rowsPerSecond / 1000), rows ?? .max)
    }

    /// Rows of a split behind its first `count`, of a table of `there` rows.
    func unread(of split: Int, after count: Int64, of there: Int64) -> Int64 {
        let round = blockRows * Int64(splits)
        let whole = there / round * blockRows + min(max(there % round - Int64(split) * blockRows, 0), blockRows)
        return max(0, whole - count)
    }

    /// Rows per second of so many of the splits. Were it shared by readers, the splits of one that has few would run ahead, and stand still for
    /// as long when they meet others.
    func rate(of splits: Int) -> Double { rowsPerSecond * Double(splits) / Double(self.splits) }

    private final class Reader: SourceReader {
        private struct Progress {
            var state: SplitState
            var split: Int
            /// Rows given.
            var count: Int64
        }

        private let generator: DataGenerator
        private let fill: ColumnFill
        private let reader: JSONReader?
        private let text = TextBuffer()
        private var splits: [Progress] = []
        private var rate: Double { generator.rate(of: splits.count) }
        /// Since when the rate is kept, and the rows given since; anew whenever the splits change.
        private var clock: (started: Instant, given: Int64)?
        /// Milliseconds since 1970.
        private var lastPoll: Int64?

        init(_ generator: DataGenerator, _ context: ReaderContext) {
            self.generator = generator
            self.fill = ColumnFill(generator.spec.physical.types, capacity: context.batchRows)
            self.reader = generator.template.map { _ in JSONReader(generator.spec.physical) }
        }

        func add(_ states: [SplitState]) throws(StreamError) {
            for state in states {
                let count = try Position.decode(state.position, of: state.split) ?? 0
                guard let split = state.split.payload.first, state.split.payload.count == 1, split < generator.splits else {
                    throw StreamError(.user, retry: false, "split \(state.split.label) is not one of this generator")
                }
                splits.append(Progress(state: state, split: Int(split), count: count))
            }
            clock = nil
        }

        func poll(maximumRows: Int, at now: Now) throws(StreamError) -> SourcePoll {
            lastPoll = now.wallMilliseconds
            // The lowest row first, so that all splits together are in order.
            var best: (index: Int, number: Int64)?
            for index in splits.indices {
                let number = generator.number(splits[index].split, splits[index].count)
                if let rows = generator.rows, number >= rows {
                    clock = nil
                    return .splitFinished(splits.remove(at: index).state.split.id)
                }
                if best.map({ number < $0.number }) ?? true { best = (index, number) }
            }
            guard let (index, first) = best else { return .needsSplits }
            var wake = Instant.distantFuture
            let due = generator.starts.map { arrived(since: $0, from: first, now, &wake) } ?? due(now, &wake)
            guard due > 0 else { return .nothing(until: wake) }
            var count = min(due, Int64(min(maximumRows, fill.capacity)), generator.blockRows - splits[index].count % generator.blockRows)
            if let rows = generator.rows { count = min(count, rows - first) }
            try generate(first..<first + count, now.wallMilliseconds)
            splits[index].count += count
            clock?.given += count
            return .batch(fill.finish(), split: splits[index].state.split.id)
        }

        /// Rows that the rate allows now. After a stall, at most those of one second are made up for.
        private func due(_ now: Now, _ wake: inout Instant) -> Int64 {
            let rate = rate
            guard let (started, given) = clock else {
                clock = (now.instant, 0)
                return 1
            }
            let open = Double((now.instant - started).nanoseconds) / 1e9 * rate + 1 - Double(given)
            let most = max(rate, 1)
            if open > most {
                clock = (now.instant + .nanoseconds(-Int64(most / rate * 1e9)), 1)
                return Int64(most)
            }
            if open >= 1 { return Int64(open) }
            // Not for every single row: a hundred times a second is smooth enough.
            let wanted = Double(given) + max(rate / 100, 1) - 1
            wake = started + .nanoseconds(Int64(wanted / rate * 1e9) + 1)
            return 0
        }

        /// Rows from number `first` on that are there by the wall clock, however long nobody read them.
        private func arrived(since starts: Int64, from first: Int64, _ now: Now, _ wake: inout Instant) -> Int64 {
            let there = generator.arrived(at: now.wallMilliseconds, since: starts)
            if there <= first {
                // A hundred times a second is smooth enough.
                let missing = Double(first + max(Int64(generator.rowsPerSecond / 100), 1) - there) / generator.rowsPerSecond
                wake = now.instant + .nanoseconds(Int64(min(missing, 3600) * 1e9) + 1)
            }
            return there - first
        }

        /// Rows that are there and not read: only a schedule says so.
        var gauges: [(name: String, value: Int64)] {
            guard let starts = generator.starts, let wall = lastPoll else { return [] }
            let there = generator.arrived(at: wall, since: starts)
            let waiting = splits.map { generator.unread(of: $0.split, after: $0.count, of: there) }
            let oldest = splits.map { generator.number($0.split, $0.count) }.min() ?? there
            return [
                (SourceGauge.pendingRows, waiting.reduce(0, +)),
                (SourceGauge.lagMilliseconds, Int64(Double(max(0, there - oldest)) / generator.rowsPerSecond * 1000)),
            ]
        }

        private func generate(_ numbers: Range<Int64>, _ now: Int64) throws(StreamError) {
            guard let template = generator.template, let reader else {
                for number in numbers {
                    for (column, field) in generator.fields.enumerated() { field.generate(number, now: now, fill, column, fill.count) }
                    fill.count += 1
                }
                return
            }
            text.count = 0
            for number in numbers {
                template.render(row: number, time: now, into: text)
                text.append(0x0A)
            }
            text.reserve(64).update(repeating: 0, count: 64)
            do throws(MalformedRow) {
                _ = try reader.read(text.pointer, from: 0, to: text.count, limit: text.count, maximumRows: fill.capacity, into: fill)
            } catch {
                throw StreamError(.user, retry: false, "table \(generator.spec.table): what the template makes cannot be read: \(error.message)")
            }
        }

        func snapshot() -> [SplitState] {
            splits.map { progress in
                var state = progress.state
                // One without a row stays fresh: as a half-read one it would hold watermarks back.
                if progress.count > 0 { state.position = Position.encode(progress.count) }
                return state
            }
        }

        func close() {}
    }
}

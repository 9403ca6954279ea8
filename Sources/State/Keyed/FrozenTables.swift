import Columnar
import Dataflow

/// Some keys with their accumulators, as columns: one slice of a window operator, or a whole unwindowed table.
package struct StateSection: Sendable {
    /// The operator's name for it: a slice's start.
    package var label: Int64
    /// Key columns, then accumulator columns. Made when they are asked for, each time anew, where that takes long.
    package var columns: [Column] { make() }
    /// Rows of each column.
    package var count: Int
    private let make: @Sendable () -> [Column]

    package init(label: Int64, columns: [Column], count: Int) { self.init(label: label, count: count) { columns } }

    /// - Parameter make: called on whichever thread wants the columns, perhaps not at all.
    package init(label: Int64, count: Int, _ make: @escaping @Sendable () -> [Column]) {
        self.label = label
        self.count = count
        self.make = make
    }
}

/// The keyed state of one operator at a barrier. Keys share the table's memory, accumulators are copies; nothing is encoded yet.
package struct FrozenTables: FrozenState {
    /// What the columns mean, shown in the error when other state is restored: keys, then aggregates.
    package var layout: String
    package var maxParallelism: Int
    /// Groups that get a segment in any case: they carry the progress, so that nothing fires twice.
    package var groups: [Int]
    /// For each of `groups` the event time up to which windows have fired.
    package var progress: [Int64]
    /// A section and the hashes of its keys.
    package var sections: [(section: StateSection, hashes: Buffer)]
    /// Groups whose rows here belong to other subtasks.
    package var foreign: Set<Int>

    package init(
        layout: String, maxParallelism: Int, groups: [Int], progress: [Int64], sections: [(section: StateSection, hashes: Buffer)], foreign: Set<Int> = []
    ) {
        self.layout = layout
        self.maxParallelism = maxParallelism
        self.groups = groups
        self.progress = progress
        self.sections = sections
        self.foreign = foreign
    }

    package func segments() -> [StateSegment] {
        var result: [StateSegment] = []
        eachSegment { result.append($0) }
        return result
    }

    package func segments(of groups: Set<Int>) -> [StateSegment] {
        var result: [StateSegment] = []
        eachSegment(of: groups.sorted()) { result.append($0) }
        return result
    }

    package func eachSegment(_ body: (StateSegment) -> Void) { eachSegment(of: 0..<maxParallelism, body) }

    private func eachSegment(of wanted: some Sequence<Int>, _ body: (StateSegment) -> Void) {
        let columns = sections.map(\.section.columns)
        let sorted = sections.map { GroupedRows(hashes: $0.hashes, count: $0.section.count, groups: maxParallelism) }
        var progressOf: [Int: Int64] = [:]
        for (group, reached) in zip(groups, progress) where reached > Watermark.minimum { progressOf[group] = reached }
        var encoder = ColumnEncoder()
        defer { encoder.free() }
        for group in wanted where !foreign.contains(group) {
            let present = sorted.indices.filter { sorted[$0].starts[group] < sorted[$0].starts[group + 1] }
            guard !present.isEmpty || progressOf[group] != nil else { continue }
            SegmentCodec.header(into: &encoder, progress: progressOf[group] ?? Watermark.minimum, layout: layout, sections: present.count)
            for index in present {
                let section = sections[index].section
                sorted[index].order.withUnsafeBufferPointer { order in
                    let rows = UnsafeBufferPointer(rebasing: order[sorted[index].starts[group]..<sorted[index].starts[group + 1]])
                    encoder.put(signed: section.label)
                    encoder.put(unsigned: UInt64(rows.count))
                    for column in columns[index] { encoder.put(column, rows: rows) }
                }
            }
            body(StateSegment(group: group, bytes: encoder.take()))
        }
    }
}

/// Row numbers ordered by key group, first come first: group g has `order[starts[g]..<starts[g + 1]]`.
struct GroupedRows {
    let order: [Int32]
    let starts: [Int]

    init(hashes: Buffer, count: Int, groups: Int) {
        let words = hashes.typed(UInt64.self)
        var starts = [Int](repeating: 0, count: groups + 1)
        for row in 0..<count { starts[KeyGroup.of(hash: words[row], groups: groups) + 1] += 1 }
        for group in 0..<groups { starts[group + 1] += starts[group] }
        var next = starts
        order = [Int32](unsafeUninitializedCapacity: count) { target, filled in
            for row in 0..<count {
                let group = KeyGroup.of(hash: words[row], groups: groups)
                target[next[group]] = Int32(truncatingIfNeeded: row)
                next[group] += 1
            }
            filled = count
        }
        self.starts = starts
    }
}

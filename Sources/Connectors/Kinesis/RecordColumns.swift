import AWS
import Columnar
import Dataflow

/// The columns that are declared `METADATA`: what a record's place in the stream says of its rows.
struct RecordColumns {
    private enum Key: String {
        case timestamp, shard = "shard-id", sequence = "sequence-number"
    }

    /// The columns that the records' data hold.
    let inRecords: Schema
    /// For each physical column its key, or nil when it is in the data.
    private let keys: [Key?]
    private let types: [DataType]
    /// Of each row of the batch that is being made.
    private var arrivals: [Int64] = []
    private var sequences: [String] = []

    init(_ spec: SourceSpec) {
        let keys = spec.physical.names.map { name in spec.metadata?[name].flatMap { Key(rawValue: $0) } }
        self.keys = keys
        types = spec.physical.types
        inRecords = Schema(zip(spec.physical.fields, keys).compactMap { $1 == nil ? $0 : nil })
    }

    private var isNeeded: Bool { keys.contains { $0 != nil } }

    /// The rows up to `rowsSoFar` that were not noted yet are the record's.
    mutating func note(_ record: RecordBlock.Record, of block: RecordBlock, rowsSoFar: Int) {
        guard isNeeded, rowsSoFar > arrivals.count else { return }
        let sequence = block.sequence(record)
        while arrivals.count < rowsSoFar {
            arrivals.append(record.arrival)
            sequences.append(sequence)
        }
    }

    /// Its columns and these, as the table has them.
    mutating func batch(_ batch: Batch, shard: String) -> Batch {
        guard isNeeded else { return batch }
        var rest = batch.columns[...]
        let columns = keys.indices.map { index in
            switch keys[index] {
            case nil: rest.removeFirst()
            case .shard?: Column.constant(.string(shard), type: types[index], count: batch.count)
            case .timestamp?: Column.of(types[index], arrivals.map { .integer($0) })
            case .sequence?: Column.of(types[index], sequences.map { .string($0) })
            }
        }
        arrivals.removeAll(keepingCapacity: true)
        sequences.removeAll(keepingCapacity: true)
        return Batch(count: batch.count, columns: columns)
    }
}

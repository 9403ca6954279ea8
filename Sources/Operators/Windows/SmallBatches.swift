import Columnar
import Dataflow

/// Puts batches of few rows together before they are passed on, in their order: what follows pays for a batch, not only for its rows.
struct SmallBatches {
    private static let fewRows = 256

    private let batchRows: Int
    private var waiting: [Batch] = []
    private var rows = 0

    init(batchRows: Int) { self.batchRows = batchRows }

    mutating func emit(_ batch: Batch, to output: any Output) throws(StreamError) {
        let isSmall = batch.count <= min(SmallBatches.fewRows, batchRows)
        if !isSmall || rows + batch.count > batchRows { try flush(to: output) }
        guard isSmall else { return try output.emit(batch) }
        waiting.append(batch)
        rows += batch.count
    }

    mutating func flush(to output: any Output) throws(StreamError) {
        guard let first = waiting.first else { return }
        let together = waiting.count == 1 ? first : Batch.concatenate(waiting)
        waiting.removeAll(keepingCapacity: true)
        rows = 0
        try output.emit(together)
    }
}

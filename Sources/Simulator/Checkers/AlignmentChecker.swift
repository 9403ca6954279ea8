import Columnar
import Dataflow
import Wire

/// See `promise`. Needs no look inside: positions and committables of a checkpoint are what its acknowledgements said.
final class AlignmentChecker: Checker {
    static let promise = """
        Rows before a barrier are in the checkpoint and rows after it are not: what is committed through a published checkpoint is the answer \
        over exactly the rows that its source positions cover. Each split is with one reader, and positions do not fall from checkpoint to checkpoint.
        """

    private let job: SimulatedJob
    private let world: ConnectorWorld
    /// By their splits' names: the table's vertex, which is its place among the inputs, and the id.
    private let inputs: [String: (input: SimulatedInput, split: Int)]
    private let table: CommittedTable
    private lazy var answer = NaiveEvaluation(job).answer()
    private var shares: [CheckpointID: [Manifest.Subtask]] = [:]
    private var published: Set<CheckpointID> = []
    /// Rows of each split before the newest published checkpoint.
    private var positions: [String: Int] = [:]
    private var files: Set<String> = []
    private var expectedRows = 0
    private var totals: [Value: NaiveEvaluation.Total] = [:]

    private let bucket: SimulatedBucket

    init(job: SimulatedJob, world: ConnectorWorld, bucket: SimulatedBucket) {
        self.bucket = bucket
        self.job = job
        self.world = world
        table = CommittedTable(job: job)
        var inputs: [String: (SimulatedInput, Int)] = [:]
        for (vertex, input) in job.inputs.enumerated() { for split in 0..<input.splits { inputs["\(vertex) \(input.splitID(split))"] = (input, split) } }
        self.inputs = inputs
    }

    func see(_ seen: Observation, at time: Duration) -> String? {
        switch seen {
        case .leaderHeard(.acknowledged(let acknowledgement), _, _):
            shares[acknowledgement.checkpoint, default: []] += acknowledgement.tasks.map(\.share)
            return nil
        case .head(let head):
            for retained in head.retained where published.insert(retained.checkpoint).inserted {
                let shares = shares.removeValue(forKey: retained.checkpoint) ?? []
                if let words = advance(shares) ?? compare(shares) { return "checkpoint \(retained.checkpoint): \(words)" }
            }
            return nil
        default: return nil
        }
    }

    /// Moves the positions, and the naive answer with them.
    private func advance(_ shares: [Manifest.Subtask]) -> String? {
        var seen: Set<String> = []
        for share in shares {
            let open = share.splits.map { state in
                let name = "\(share.subtask.vertex) \(state.split.id)"
                return (name, inputs[name].map { $0.input.next(in: $0.split, state) } ?? 0)
            }
            let finished = share.finishedSplits.compactMap { id in
                let name = "\(share.subtask.vertex) \(id)"
                return inputs[name].map { (name, $0.input.rows(in: $0.split)) }
            }
            for (id, position) in open + finished {
                guard let (input, split) = inputs[id] else { return "there is no split \(id)" }
                let last = positions[id] ?? 0
                if !seen.insert(id).inserted { return "split \(id) is with two readers" }
                if position < last { return "split \(id) is at row \(position), after row \(last) in an earlier checkpoint" }
                positions[id] = position
                for index in last..<position { add(input.row(split, index)) }
            }
        }
        return nil
    }

    private func add(_ row: SimulatedInput.Row) {
        if NaiveEvaluation.calc(row, in: job) != nil { expectedRows += 1 }
        guard job.isChangelog else { return }
        let key = NaiveEvaluation.groups(of: row, in: job)[0][0]
        let old = totals[key] ?? (0, 0, .min)
        totals[key] = (old.count + 1, old.sum + row.value, max(old.greatest, row.value))
    }

    private func compare(_ shares: [Manifest.Subtask]) -> String? {
        let new = shares.flatMap(\.committables).filter { files.insert($0.id).inserted }
        var added: [SimulatedFile] = []
        for committable in new {
            if committable.payload.isEmpty {
                guard let file = world.file(committable.id) else { return "file \(committable.id) is not there" }
                added.append(file)
            } else {
                guard let rows = bucket.rows(of: committable) else { return "file \(committable.id) is not there" }
                added.append(SimulatedFile(id: committable.id, rows: rows))
            }
        }
        added.sort { ($0.checkpoint, $0.task.subtask) < ($1.checkpoint, $1.task.subtask) }
        for file in added {
            if let words = table.apply(file.rows) { return "file \(file.id): \(words)" }
            for row in file.rows {
                if let words = judge(row.values) { return "file \(file.id): \(words)" }
            }
        }
        // Rows of a file that goes on are not committed yet.
        return job.rollEvery == 1 ? compareWhole() : nil
    }

    private func judge(_ row: [Value]) -> String? {
        switch job.shape {
        case .group, .regroup: return nil
        case .window:
            guard let most = answer[row] else { return "\(CommittedTable.text(row)) is no row of the answer" }
            return table.rows[row, default: 0] <= most ? nil : "\(CommittedTable.text(row)) is there too often"
        case .calc:
            guard case .integer(let id) = row[0] else { return "a row without id" }
            // Tables have the same ids; twice is too often only beyond the number of tables.
            if let count = table.rows[row], count > job.inputs.count { return "\(CommittedTable.text(row)) is there \(count) times" }
            let reach = job.inputs.enumerated().map { positions["\($0) \($1.splitID(Int(id >> 32)))"] ?? 0 }.max() ?? 0
            return Int(id & 0xFFFF_FFFF) < reach ? nil : "row \(id & 0xFFFF_FFFF) of split \(id >> 32) is committed, but its source stands at \(reach)"
        }
    }

    private func compareWhole() -> String? {
        switch job.shape {
        case .window: return nil
        case .calc:
            let there = table.rows.values.reduce(0, +)
            return there == expectedRows ? nil : "\(there) rows are committed, the sources have given \(expectedRows)"
        case .group, .regroup:
            let expected: [[Value]] =
                job.shape == .regroup
                ? NaiveEvaluation.regrouped(totals)
                : totals.map { [$0.key, .integer($0.value.count), .integer($0.value.sum), .integer($0.value.greatest)] }
            if let row = expected.filter({ table.current[$0[0]] != $0 }).min(by: { CommittedTable.text($0) < CommittedTable.text($1) }) {
                return "\(table.current[row[0]].map(CommittedTable.text) ?? "nothing") is committed, the sources have given \(CommittedTable.text(row))"
            }
            return table.current.count == expected.count ? nil : "\(table.current.count) rows are committed, the sources have given \(expected.count)"
        }
    }
}

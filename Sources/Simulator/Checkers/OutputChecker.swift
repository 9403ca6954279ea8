import Columnar
import Dataflow

/// See `promise`. Judges once, when the job has finished.
struct OutputChecker {
    static let promise = """
        Committed output is the answer of a naive batch evaluation over all rows; the rows of each sink task are there once each, without \
        a gap between files.
        """

    let job: SimulatedJob

    /// Answers what is wrong.
    func judge(_ files: [SimulatedFile]) -> String? {
        var written: [TaskID: Int] = [:]
        for file in files {
            if let next = written[file.task], file.first != next {
                return "file \(file.id) begins at row \(file.first) of its writer, after \(next) committed rows"
            }
            written[file.task] = file.first + file.rows.count
        }
        let table = CommittedTable(job: job)
        for file in files {
            if let words = table.apply(file.rows) { return "file \(file.id): \(words)" }
        }
        return table.difference(from: NaiveEvaluation(job).answer())
    }

    /// Of an append-only table, in any order.
    func judge(rows: [SimulatedFile.Row]) -> String? {
        let table = CommittedTable(job: job)
        return table.apply(rows) ?? table.difference(from: NaiveEvaluation(job).answer())
    }
}

/// The sink's table: rows with how often they are there; a changelog by its key.
final class CommittedTable {
    private let job: SimulatedJob
    private(set) var rows: [[Value]: Int] = [:]
    private(set) var current: [Value: [Value]] = [:]

    init(job: SimulatedJob) { self.job = job }

    /// Answers what contradicts the table.
    func apply(_ changes: [SimulatedFile.Row]) -> String? {
        for change in changes {
            guard job.isChangelog else {
                if change.kind != .insert { return "\(change.kind) in an append-only table" }
                rows[change.values, default: 0] += 1
                continue
            }
            let key = change.values[0]
            switch change.kind {
            case .insert:
                if let present = current[key] { return "+I \(Self.text(change.values)), but \(Self.text(present)) is there" }
                current[key] = change.values
            case .updateBefore, .delete:
                if current[key] != change.values {
                    return "\(change.kind.symbol) \(Self.text(change.values)), but \(current[key].map(Self.text) ?? "nothing") is there"
                }
                if change.kind == .delete { current[key] = nil }
            case .updateAfter:
                guard current[key] != nil else { return "+U \(Self.text(change.values)), but nothing is there" }
                current[key] = change.values
            }
        }
        return nil
    }

    func difference(from answer: [[Value]: Int]) -> String? {
        let rows = job.isChangelog ? Dictionary(uniqueKeysWithValues: current.values.map { ($0, 1) }) : rows
        guard rows != answer else { return nil }
        let lost = answer.filter { rows[$0.key, default: 0] < $0.value }.map(\.key)
        let doubled = rows.filter { answer[$0.key, default: 0] < $0.value }.map(\.key)
        return """
            \(lost.count) rows are missing\(Self.example(lost)), \(doubled.count) are too many\(Self.example(doubled)); \
            \(rows.values.reduce(0, +)) rows are there, \(answer.values.reduce(0, +)) are expected
            """
    }

    private static func example(_ rows: [[Value]]) -> String { rows.map(text).min().map { " (such as \($0))" } ?? "" }

    static func text(_ row: [Value]) -> String {
        let cells = row.map { value in
            switch value {
            case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
            case .integer(let number): String(number)
            default: "\(value)"
            }
        }
        return "(" + cells.joined(separator: ", ") + ")"
    }
}

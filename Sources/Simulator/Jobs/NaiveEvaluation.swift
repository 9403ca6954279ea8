import Columnar
import Dataflow

/// The answer of a job over rows, computed as simply as can be: no windows that slide, no state, no streams.
package struct NaiveEvaluation {
    private let job: SimulatedJob

    package init(_ job: SimulatedJob) { self.job = job }

    package typealias Total = (count: Int64, sum: Int64, greatest: Int64)

    /// The rows that the sink's table holds at the end, each with how often.
    package func answer() -> [[Value]: Int] {
        var groups: [[Value]: Total] = [:]
        var rows: [[Value]: Int] = [:]
        func count(_ groups: [[Value]: Total]) {
            for (group, total) in groups {
                let aggregates: [Value] = [.integer(total.count), .integer(total.sum), .integer(total.greatest)]
                rows[[group[0]] + aggregates + group.dropFirst(), default: 0] += 1
            }
        }
        for input in job.inputs {
            for split in 0..<input.splits {
                for index in 0..<input.rows(in: split) {
                    let row = input.row(split, index)
                    for group in NaiveEvaluation.groups(of: row, in: job) {
                        let old = groups[group] ?? (0, 0, .min)
                        groups[group] = (old.count + 1, old.sum + row.value, max(old.greatest, row.value))
                    }
                    if let row = NaiveEvaluation.calc(row, in: job) { rows[row, default: 0] += 1 }
                }
            }
            guard job.union?.isOfResults ?? false else { continue }
            count(groups)
            groups = [:]
        }
        if job.shape == .regroup {
            var totals: [Value: Total] = [:]
            for (group, total) in groups { totals[group[0]] = total }
            for row in NaiveEvaluation.regrouped(totals) { rows[row, default: 0] += 1 }
            return rows
        }
        count(groups)
        return rows
    }

    /// The row that leaves the calc job for one row of input.
    package static func calc(_ row: SimulatedInput.Row, in job: SimulatedJob) -> [Value]? {
        guard job.shape == .calc, row.value >= SimulatedJob.leastValue else { return nil }
        return [.integer(row.id), .bytes(SimulatedInput.keyText(row.key)), .integer(row.value + 1)]
    }

    /// What the second of two aggregates makes of the first one's rows: how many keys have a count, their sums together, their greatest value.
    package static func regrouped(_ totals: [Value: Total]) -> [[Value]] {
        var outer: [Int64: Total] = [:]
        for total in totals.values {
            let old = outer[total.count] ?? (0, 0, .min)
            outer[total.count] = (old.count + 1, old.sum + total.sum, max(old.greatest, total.greatest))
        }
        return outer.map { [.integer($0.key), .integer($0.value.count), .integer($0.value.sum), .integer($0.value.greatest)] }
    }

    /// The groups that a row belongs to: its key, and for windows each window's start, end and time.
    package static func groups(of row: SimulatedInput.Row, in job: SimulatedJob) -> [[Value]] {
        let key = Value.bytes(SimulatedInput.keyText(row.key))
        switch job.shape {
        case .calc: return []
        case .group, .regroup: return [[key]]
        case .window:
            let (size, slide, offset) = (job.window.size, job.window.slide, job.window.offset)
            let past = (row.time - offset) % slide
            let last = row.time - (past < 0 ? past + slide : past)
            var groups: [[Value]] = []
            for start in stride(from: last, to: row.time - size, by: -Int(slide)) {
                groups.append([key, .integer(start), .integer(start + size), .integer(start + size - 1)])
            }
            return groups
        }
    }
}

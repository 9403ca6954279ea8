import Dataflow

/// What many runs came to: the failures, and how often everything happened.
package struct Report: Sendable {
    package private(set) var counts = Counts()
    package private(set) var failures: [RunResult] = []
    /// All (state, event) pairs that the machines have.
    private let pairs: [String]

    package init(_ results: [RunResult]) {
        for result in results {
            counts.add(result.counts)
            if result.broken != nil { failures.append(result) }
        }
        pairs = Coverage.pairs
    }

    /// Disturbances and pairs that never happened although nothing excuses them.
    package var missing: [String] {
        let disturbances = Disturbance.allCases.filter { counts.disturbances[$0] == nil && Disturbance.allowedToBeMissing[$0] == nil }
        let pairs = pairs.filter { counts.pairs[$0] == nil && Coverage.reason($0) == nil }
        return disturbances.map(\.rawValue) + pairs
    }

    package var hasFailed: Bool { !failures.isEmpty || !missing.isEmpty }

    /// `isWhole`: also what is fine.
    package func text(isWhole: Bool) -> String {
        var lines = [
            "\(counts.runs) runs, \(counts.events) events, \(counts.rows) committed rows, \(counts.checkpoints) checkpoints, "
                + "\(counts.restarts) restarts, \(failures.count) failures"
        ]
        for failure in failures.prefix(5) {
            lines.append("seed \(failure.seed) FAILED: \(failure.broken?.description ?? "")")
            lines += failure.trace.map { "    " + $0 }
        }
        for failure in failures.dropFirst(5) { lines.append("seed \(failure.seed) FAILED: \(failure.broken?.description ?? "")") }
        if isWhole {
            lines.append("Disturbances:")
            for kind in Disturbance.allCases { lines.append("    \(kind.rawValue): \(counts.disturbances[kind] ?? 0)") }
            lines.append("(state, event) pairs:")
            for pair in Set(pairs + counts.pairs.keys).sorted() {
                let count = counts.pairs[pair] ?? 0
                lines.append("    \(pair): \(count)" + (count == 0 ? Coverage.reason(pair).map { " (\($0))" } ?? "" : ""))
            }
        }
        if !missing.isEmpty { lines.append("Never happened: \(missing.joined(separator: ", "))") }
        return lines.joined(separator: "\n")
    }
}

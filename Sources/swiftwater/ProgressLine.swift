import Dataflow
import Hosts
import JobControl

/// One line that says how far a job is, drawn over itself twice a second while standard error is a terminal.
final class ProgressLine {
    private let name: String
    private let isShown: Bool
    private var last = Instant.zero
    private var lastRows: Int64 = 0
    private let start = SystemClock.instant()

    init(name: String, isShown: Bool) {
        self.name = name
        self.isShown = isShown && Terminal.isInteractive
    }

    func show(status: String, rows: Int64, checkpoints: Int, restarts: Int) {
        guard isShown else { return }
        let now = SystemClock.instant()
        let elapsed = now - last
        guard elapsed >= .milliseconds(500) else { return }
        let rate = last == .zero ? 0 : Double(rows - lastRows) / (Double(elapsed.nanoseconds) / 1e9)
        last = now
        lastRows = rows
        var line = "\(name): \(status), \(grouped(rows)) rows read"
        if rate > 0 { line += ", \(grouped(Int64(rate))) rows/s" }
        if checkpoints > 0 { line += ", \(checkpoints) checkpoints" }
        if restarts > 0 { line += ", \(restarts) restarts" }
        Terminal.status(line + ", \((now - start).milliseconds / 1000) s")
    }

    func show(_ job: JobView) {
        let rows = job.graph.sources.reduce(Int64(0)) { total, vertex in
            job.vertices[vertex].subtasks.reduce(total + (job.vertices[vertex].replaced?.rowsIn ?? 0)) { $0 + ($1.metrics?.rowsIn ?? 0) }
        }
        show(status: job.status.rawValue, rows: rows, checkpoints: job.checkpoints.counts.completed, restarts: job.restarts)
    }

    /// Room for another line; the next call of `show` draws this one again.
    func clear() { if isShown { Terminal.status("") } }

    func finish() { if isShown { Terminal.status("") } }
}

/// 1234567 as 1,234,567.
func grouped(_ number: Int64) -> String {
    let digits = String(number.magnitude)
    var out = ""
    for (index, digit) in digits.enumerated() {
        if index > 0 && (digits.count - index) % 3 == 0 { out += "," }
        out.append(digit)
    }
    return (number < 0 ? "-" : "") + out
}

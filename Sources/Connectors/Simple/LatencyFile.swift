import Columnar
import Dataflow
import Glibc

/// How old rows are when they reach a sink: this machine's wall clock less a time in the row, both in milliseconds.
///
/// Once a second the counts since the start go to a file, replaced whole: `milliseconds count` a line, rising. Ages above a
/// minute count as one minute, those below zero (clocks of two machines) as zero. Rows that take others back (−U, −D) do not count.
struct LatencyFile {
    private static let greatest = 60_000

    private let column: Int
    private let path: String
    private var counts = [Int64](repeating: 0, count: LatencyFile.greatest + 1)
    private var due = Instant.zero

    init(column: Int, path: String) {
        self.column = column
        self.path = path
    }

    static func canRead(_ kind: TypeKind) -> Bool {
        switch kind {
        case .bigint, .timestamp, .timestampLTZ: true
        default: false
        }
    }

    /// Reads the clock itself: a batch may come late in the task's turn.
    mutating func count(_ batch: Batch) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let now = Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
        let column = batch.columns[column], values = column.pointer(Int64.self)
        let ticks = column.type.kind.timeUnit?.ticksPerMillisecond ?? 1
        for row in 0..<batch.count where !column.isNull(row) && batch.kind(row).isAdd {
            counts[Int(min(max(now - values[row] / ticks, 0), Int64(LatencyFile.greatest)))] += 1
        }
    }

    mutating func writeWhenDue(at now: Instant) throws(StreamError) -> Instant {
        if now >= due {
            try write()
            due = now + .seconds(1)
        }
        return due
    }

    func write() throws(StreamError) {
        let text = TextBuffer()
        for (age, count) in counts.enumerated() where count > 0 { text.append("\(age) \(count)\n") }
        let part = path + ".part"
        try FilePath.makeFolder(FilePath.parent(path))
        let file = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard file >= 0 else { throw FilePath.error("opening", part) }
        let written = Glibc.write(file, text.pointer, text.count)
        close(file)
        guard written == text.count, rename(part, path) == 0 else { throw FilePath.error("writing", path) }
    }
}

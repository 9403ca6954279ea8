import ArgumentParser
import Connectors
import Dataflow
import Glibc
import Hosts
import Settings

/// Makes rows from a data template, live: to standard output, into a folder that a job watches, or into a Kinesis stream.
struct DatagenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "datagen", abstract: "Makes rows from a data template of the Kinesis Data Generator.",
        discussion: """
            One JSON line a row. With --to the rows go into files that appear whole: each is written under a hidden name and renamed when it is
            full; with --stream each is a record of a Kinesis stream with a random key, and what the stream refuses is put again. Credentials,
            region and endpoint come from where every AWS tool has them. Ctrl-C finishes what is open. The calls that a template may hold are listed when it names another.
            """)

    @Option(help: "The template's file.")
    var template: String

    // Numbers are taken whatever they begin with: a negative one is refused in words of ours (`validate`), not as an option that nobody knows.
    @Option(parsing: .unconditional, help: "Rows a second; 0 for as fast as it goes.")
    var rate: Double = 1000

    @Option(parsing: .unconditional, help: "End after so many rows.")
    var rows: Int64?

    @Option(help: ArgumentHelp("End after this time: 30 s, 5 min.", valueName: "time"))
    var duration: String?

    @Option(name: .customLong("to"), help: ArgumentHelp("Write files into this folder instead of standard output.", valueName: "folder"))
    var folder: String?

    @Option(help: ArgumentHelp("Put records into this Kinesis stream: its name or ARN.", valueName: "name"))
    var stream: String?

    @Option(help: ArgumentHelp("The stream's region.", valueName: "region"))
    var region: String?

    @Option(help: ArgumentHelp("Where Kinesis is, if not at its public address.", valueName: "url"))
    var endpoint: String?

    @Option(parsing: .unconditional, help: "Start a new file after so many rows.")
    var fileRows: Int64?

    @Option(parsing: .unconditional, help: "Start a new file after so many seconds.")
    var fileSeconds: Double = 1

    @Option(help: "The same seed gives the same rows, times excepted; by default every run has its own.")
    var seed: UInt64?

    func validate() throws {
        if rate < 0 { throw ValidationError("--rate is not below 0") }
        if let rows, rows < 1 { throw ValidationError("--rows is at least 1") }
        if let fileRows, fileRows < 1 { throw ValidationError("--file-rows is at least 1") }
        if stream != nil, folder != nil { throw ValidationError("--stream and --to exclude each other") }
        if stream == nil, region != nil || endpoint != nil { throw ValidationError("--region and --endpoint go with --stream") }
        if fileSeconds <= 0 { throw ValidationError("--file-seconds is above 0") }
        if let duration, Duration(configText: duration) == nil || Int(duration) != nil {
            throw ValidationError("--duration: expected a number with its unit, as in '90 s' or '5 min'")
        }
    }

    func run() throws {
        let ending = blockEndingSignals()
        do throws(StreamError) {
            let template = try Template(file: template, seed: seed ?? .random(in: 0 ... .max))
            try generate(template, into: destination(), until: ending)
        } catch {
            throw CommandError("\(error)", code: error.kind == .user ? 2 : 1)
        }
    }

    private func destination() throws(StreamError) -> RowDestination {
        if let stream { return .stream(try StreamFeed(stream: stream, region: region, endpoint: endpoint)) }
        guard let folder else { return .standardOutput }
        return .files(try RowFiles(folder: folder, rowsEach: fileRows, lasting: .nanoseconds(Int64(fileSeconds * 1e9)), at: SystemClock.now()))
    }

    /// Rows are made a few milliseconds' worth at a time. What a stall held up is made up for, one second's worth at most.
    private func generate(_ template: Template, into destination: RowDestination, until ending: sigset_t) throws(StreamError) {
        let start = SystemClock.instant()
        let end = duration.flatMap { Duration(configText: $0) }.map { start + $0 } ?? .distantFuture
        let text = TextBuffer(capacity: 1 << 20)
        var pace = Pace(rate: rate, from: start)
        var made: Int64 = 0
        var progress = DatagenProgress(start: start, isShown: Terminal.isInteractive && (folder != nil || stream != nil || isatty(STDOUT_FILENO) == 0))
        var signal: Int32 = 0
        while signal == 0 {
            let now = SystemClock.now()
            let due = pace.due(at: min(now.instant, end), made: made)
            let count = min(due, 8192, rows.map { $0 - made } ?? .max)
            text.count = 0
            for row in made..<made + count {
                template.render(row: row, time: now.wallMilliseconds, into: text)
                text.append(0x0A)
            }
            made += count
            guard try destination.take(text, rows: count, at: now) else { break }
            progress.show(made, destination.files, at: now.instant)
            if made == rows || now.instant >= end { break }
            // Waiting for a signal is the pause between two helpings.
            signal = endingSignal(ending, within: count < due ? .zero : .milliseconds(10))
        }
        try destination.finish()
        progress.end(made, destination.files, folder ?? stream.map { "stream \($0)" })
        if signal == SIGINT { Terminal.exit(130) }
    }

    private func blockEndingSignals() -> sigset_t {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        Glibc.signal(SIGPIPE, SIG_IGN)
        return signals
    }

    /// SIGINT or SIGTERM if one came, else 0.
    private func endingSignal(_ signals: sigset_t, within pause: Duration) -> Int32 {
        var signals = signals
        var limit = timespec(tv_sec: 0, tv_nsec: Int(pause.nanoseconds))
        return max(0, sigtimedwait(&signals, nil, &limit))
    }
}

/// How many rows are due: at equal distances from a start, which moves when more than a second's worth was missed.
private struct Pace {
    /// 0: as fast as it goes.
    let rate: Double
    private var start: Instant
    private var madeAtStart: Int64 = 0

    init(rate: Double, from start: Instant) {
        self.rate = rate
        self.start = start
    }

    mutating func due(at now: Instant, made: Int64) -> Int64 {
        if rate == 0 { return .max }
        let due = Double((now - start).nanoseconds) / 1e9 * rate - Double(made - madeAtStart)
        guard due > max(rate, 1) else { return max(0, Int64(due)) }
        start = now
        madeAtStart = made + Int64(rate)
        return Int64(max(rate, 1))
    }
}

/// Where generated rows go. Another kind of destination is another case.
private enum RowDestination {
    case standardOutput
    case files(RowFiles)
    case stream(StreamFeed)

    var files: Int {
        switch self {
        case .standardOutput, .stream: 0
        case .files(let files): files.finished
        }
    }

    /// False when nobody reads any more, as behind `| head`.
    func take(_ text: TextBuffer, rows: Int64, at now: Now) throws(StreamError) -> Bool {
        switch self {
        case .files(let files):
            try files.take(text, rows: rows, at: now)
            return true
        case .stream(let stream):
            try stream.take(text)
            return true
        case .standardOutput:
            var from = 0
            while from < text.count {
                let count = write(STDOUT_FILENO, text.pointer + from, text.count - from)
                if count < 0, errno == EINTR { continue }
                if count < 0, errno == EPIPE { return false }
                guard count > 0 else { throw StreamError(.externalSystem, retry: false, "writing rows: \(String(cString: strerror(errno)))") }
                from += count
            }
            return true
        }
    }

    func finish() throws(StreamError) {
        switch self {
        case .standardOutput: break
        case .files(let files): try files.finish()
        case .stream(let stream): try stream.finish()
        }
    }
}

/// The line under the cursor of a terminal, and the last words.
private struct DatagenProgress {
    let start: Instant
    let isShown: Bool
    private var last = Instant.zero

    init(start: Instant, isShown: Bool) {
        self.start = start
        self.isShown = isShown
    }

    mutating func show(_ rows: Int64, _ files: Int, at now: Instant) {
        guard isShown, now - last >= .milliseconds(500) else { return }
        last = now
        Terminal.status("datagen: \(words(rows, files, now))")
    }

    func end(_ rows: Int64, _ files: Int, _ place: String?) {
        if isShown { Terminal.status("") }
        if let place { Terminal.error("datagen: \(words(rows, files, SystemClock.instant())) in \(place)") }
    }

    private func words(_ rows: Int64, _ files: Int, _ now: Instant) -> String {
        let seconds = max(Double((now - start).nanoseconds) / 1e9, 1e-3)
        return "\(grouped(rows)) rows, \(grouped(Int64(Double(rows) / seconds))) rows/s, \(Int64(seconds)) s" + (files > 0 ? ", \(grouped(Int64(files))) files" : "")
    }
}

import Dataflow
import REST
import Testing
import Wire

/// How old tasks are, and how busy since they began.
struct TaskStartTests {
    private let job = JobID(high: 1, low: 2)
    private var starts = TaskStarts()

    private mutating func run(_ attempts: [UInt32], restarts: Int = 0, changed: Int64? = nil, at now: Int64) {
        let subtasks = attempts.enumerated().map { (SubtaskID(vertex: 0, index: $0), $1) }
        starts.note(job, restarts: restarts, attempts: Dictionary(uniqueKeysWithValues: subtasks), changed: changed, at: now)
    }

    private func start(_ index: Int, _ attempt: UInt32) -> Int64? { starts.young(in: job).start(of: SubtaskID(vertex: 0, index: index), attempt: attempt) }

    @Test mutating func whatAChangeDeploysBeganWithIt() {
        run([1, 1], at: 1000)
        #expect(start(0, 1) == nil && start(1, 1) == nil)
        run([1, 2, 2], changed: 5000, at: 5700)
        #expect(start(0, 1) == nil && start(1, 2) == 5000 && start(2, 2) == 5000)
        // It stays so, also when the next change has begun; and nothing is said of another attempt.
        run([1, 2, 2], changed: 9000, at: 9100)
        #expect(start(1, 2) == 5000 && start(1, 1) == nil)
        run([3, 2], changed: 9000, at: 9300)
        #expect(start(0, 3) == 9000 && start(1, 2) == 5000 && start(2, 2) == nil)
        // Nobody says why.
        run([3, 4], at: 12_000)
        #expect(start(1, 4) == 12_000)
    }

    @Test mutating func afterARestartAllBeganWithTheJob() {
        run([1, 1], at: 1000)
        run([1, 2], changed: 5000, at: 5100)
        run([3, 3], restarts: 1, at: 8000)
        #expect(start(0, 3) == nil && start(1, 3) == nil)
    }

    @Test func sharesOfTimeAreKnownFromTheFirstReportOn() throws {
        var report = TaskMetrics(task: TaskID(job: job, subtask: SubtaskID(vertex: 0, index: 0), attempt: 2))
        #expect(History.Load(report, since: nil) == nil)
        (report.busyMilliseconds, report.idleMilliseconds, report.backpressuredMilliseconds) = (100, 60, 40)
        let first = try #require(History.Load(report, since: nil))
        #expect((first.busy, first.idle, first.backpressured) == (0.5, 0.3, 0.2))
        var later = report
        later.busyMilliseconds += 1000
        let next = try #require(History.Load(later, since: report))
        #expect((next.busy, next.idle, next.backpressured) == (1, 0, 0))
    }
}

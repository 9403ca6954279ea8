import Connectors
import Dataflow
import Hosts
import JobControl
import Settings
import SQL
import Testing

/// Whole scripts on a whole cluster inside this process, against what Flink gave for them.
@Suite(.serialized)
struct Golden {
    private static let cases = [
        "002-case-expressions", "004-try-cast-times-strings", "010-like-similar", "012-datetime-extract", "018-math-1", "020-decimal-precision",
        "022-three-valued-logic", "024-integer-overflow", "028-tumble-tvf", "030-hop-tvf", "038-window-cascade", "040-legacy-tumble-hop",
        "042-legacy-hop", "046-rowtime-ltz", "098-union-distinct", "112-having", "114-values", "118-global-aggregate", "120-aggregate-of-aggregate",
        "134-json-options", "136-partitioned-directory", "162-group-by-changing-key",
    ].map(GoldenCase.init)

    /// No row is late in these, so they do not depend on the order of rows from several subtasks.
    private static let orderless = [
        "002-case-expressions", "018-math-1", "046-rowtime-ltz", "098-union-distinct", "112-having", "118-global-aggregate",
        "120-aggregate-of-aggregate", "136-partitioned-directory", "162-group-by-changing-key",
    ].map(GoldenCase.init)

    @Test(arguments: cases)
    func rowsAreFlinks(golden: GoldenCase) async throws {
        let (status, rows) = try await run(golden.script)
        #expect(status == .finished)
        #expect(rows == golden.expected)
    }

    @Test(arguments: orderless)
    func rowsAreFlinksOnTwoSubtasks(golden: GoldenCase) async throws {
        let (status, rows) = try await run("SET 'parallelism.default' = '2';\n" + golden.script)
        #expect(status == .finished)
        #expect(rows == golden.expected)
    }

    @Test func aDivisionByZeroFailsTheJob() async throws {
        let (status, _) = try await run("SET 'restart-strategy.type' = 'none';\n" + GoldenCase(name: "148-error-division-by-zero").script)
        #expect(status == .failed)
    }

    /// How the script's last job ended, and its rows behind a header.
    private func run(_ script: String) async throws -> (JobStatus, [String]) {
        let job = try #require(try compile(script: script).jobs.last)
        let rows = CanonicalRows()
        let cluster = LocalCluster(
            configuration: job.configuration, slots: 2, connectors: StandardConnectors(collectors: ["": { rows.take($0) }]), version: "test",
            log: Log(least: .error))
        let submission = Submission(job)
        guard case .submitted = await cluster.jobManager.request(.submit(submission)) else { return (.failed, []) }
        while true {
            guard let state = await cluster.jobManager.view().jobs.first(where: { $0.id == submission.job }) else { return (.failed, []) }
            if state.status.isTerminal {
                return (state.status, [job.output?.names.joined(separator: ",") ?? ""] + rows.lines)
            }
            // Nothing depends on this pause: the cluster gets the processor instead of the one who asks.
            try await Task.sleep(for: .milliseconds(1))
        }
    }
}

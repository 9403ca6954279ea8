import Connectors
import Hosts
import JobControl
import Settings
import SQL
import Testing

/// Runs one job of a script on a cluster inside this process.
enum GoldenCluster {
    /// How the script's last job ended, and the rows of a bare SELECT behind a header.
    static func run(_ script: String, slots: Int = 2) async throws -> (JobStatus, [String]) {
        let job = try #require(try compile(script: script).jobs.last)
        let rows = CanonicalRows()
        let cluster = LocalCluster(
            configuration: job.configuration, slots: slots, connectors: StandardConnectors(collectors: ["": { rows.take($0) }]), version: "test",
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

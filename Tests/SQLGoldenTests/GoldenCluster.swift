import Connectors
import Dataflow
import Expressions
import Hosts
import JobControl
import Settings
import SQL
import Testing

/// Runs one job of a script on a cluster inside this process.
struct GoldenCluster {
    let job: CompiledJob
    private let cluster: LocalCluster
    private let rows: CanonicalRows

    /// The script's last job.
    init(_ script: String, slots: Int = 2) throws {
        job = try #require(try compile(script: script).jobs.last)
        let rows = CanonicalRows(zone: try #require(ZoneRules(named: job.configuration.get(PipelineOptions.localTimeZone))))
        self.rows = rows
        cluster = LocalCluster(
            configuration: job.configuration, slots: slots, connectors: StandardConnectors(collectors: ["": { rows.take($0) }]), version: "test",
            log: Log(least: .error))
    }

    /// How the script's last job ended, and the rows of a bare SELECT behind a header.
    static func run(_ script: String, restore path: String? = nil) async throws -> (JobStatus, [String]) {
        let golden = try GoldenCluster(script)
        let id = try await golden.submit(restore: path)
        let status = try await golden.wait(for: id) { $0.status.isTerminal }
        return (status, [golden.job.output?.names.joined(separator: ",") ?? ""] + golden.rows.lines)
    }

    func submit(restore path: String? = nil) async throws -> JobID {
        let submission = Submission(job, restorePath: path)
        let reply = await cluster.jobManager.request(.submit(submission))
        guard case .submitted(let id) = reply else { throw StreamError(.user, retry: false, "\(reply)") }
        return id
    }

    /// Stops the job behind a savepoint in the folder; answers the savepoint's path.
    func stop(_ id: JobID, savepointIn folder: String) async throws -> String {
        let reply = await cluster.jobManager.request(.savepoint(id, kind: .stop, directory: folder))
        guard case .completed(let path) = reply else { throw StreamError(.user, retry: false, "\(reply)") }
        _ = try await wait(for: id) { $0.status.isTerminal }
        return path
    }

    @discardableResult
    func wait(for id: JobID, until holds: (JobView) -> Bool) async throws -> JobStatus {
        while true {
            let view = try #require(await cluster.jobManager.view().jobs.first { $0.id == id })
            if view.status.isTerminal || holds(view) { return view.status }
            // Nothing depends on this pause: the cluster gets the processor instead of the one who asks.
            try await Task.sleep(for: .milliseconds(1))
        }
    }
}

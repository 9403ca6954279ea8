import Dataflow
import Expressions
import Glibc
import Settings
import SQL

// What can be said about a job before anything of it starts.

extension ConnectorRegistry {
    /// The first wrong option of its tables or settings.
    package func problem(with job: CompiledJob) -> StreamError? {
        do throws(StreamError) {
            _ = try zone(of: job.configuration)
            for vertex in job.graph.vertices {
                if let spec = vertex.source { _ = try source(spec) }
                if let spec = vertex.sink { _ = try sink(spec) }
            }
            return nil
        } catch {
            return error
        }
    }

    /// The same for a job whose TaskManagers are processes of their own: what one of them keeps in its memory, no other can restore.
    package func problem(onClusterWith job: CompiledJob) -> StreamError? {
        if job.configuration.get(CheckpointingOptions.interval) != nil && job.configuration.get(CheckpointingOptions.directory) == nil {
            return StreamError(
                .user, retry: false, "execution.checkpointing.interval is set, but not execution.checkpointing.dir: say where checkpoints are stored")
        }
        return problem(with: job)
    }
}

func zone(of configuration: Configuration) throws(StreamError) -> ZoneRules {
    let name = configuration.get(PipelineOptions.localTimeZone)
    guard let zone = ZoneRules(named: name) else { throw StreamError(.user, retry: false, "table.local-time-zone: there is no zone \(name)") }
    return zone
}

extension CompiledScript {
    /// About what its `SET`s say, beyond what was said about `base`.
    package func warnings(beyond base: Configuration) -> [String] {
        var all: [String] = []
        for job in jobs {
            for warning in job.configuration.warnings.dropFirst(base.warnings.count) where !all.contains(warning) { all.append(warning) }
        }
        return all
    }

    /// Paths whose meaning hangs on the folder in which this process and the TaskManagers work, which is hardly that of whoever submits.
    package var relativePathWarnings: [String] {
        let tables = jobs.flatMap(\.graph.vertices).flatMap { vertex in
            [vertex.source.map { ($0.table, $0.options) }, vertex.sink.map { ($0.table, $0.options) }].compactMap(\.self)
        }
        var all: [String] = []
        for (table, options) in tables {
            guard let path = options["path"] ?? options["template"], !path.hasPrefix("/"), !path.contains(":") else { continue }
            let warning = "table \(table): the relative path '\(path)' belongs to the folder in which the cluster's processes work; the JobManager's is \(workingFolder())"
            if !all.contains(warning) { all.append(warning) }
        }
        return all
    }
}

private func workingFolder() -> String {
    guard let path = getcwd(nil, 0) else { return "unknown" }
    defer { free(path) }
    return String(cString: path)
}

import Dataflow
import JobControl
import Settings
import SQL

extension Submission {
    /// A job of a compiled script, with a new id unless the configuration fixes one.
    package init(_ job: CompiledJob, restorePath: String? = nil, allowNonRestoredState: Bool = false) {
        let configuration = job.configuration
        var generator = SystemRandomNumberGenerator()
        var graph = job.graph
        if let name = configuration.get(PipelineOptions.name) { graph.name = name }
        self.init(
            job: configuration.get(PipelineOptions.fixedJobID).flatMap { JobID($0) } ?? .random(using: &generator), graph: graph,
            settings: configuration.values, options: JobOptions(configuration),
            restorePath: restorePath ?? configuration.get(CheckpointingOptions.restorePath),
            allowNonRestoredState: allowNonRestoredState || configuration.get(CheckpointingOptions.ignoreUnclaimedState))
    }
}

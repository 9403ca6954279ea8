/// Names that are known without a declaration of their own: free-form families, and what Flink has for the sake of its virtual machine.
enum AcceptedOptions {
    /// Read elsewhere, under names that a user makes up or a service defines.
    private static let families = [
        "metrics.reporter.", "traces.reporter.", "metrics.scope.", "s3.", "fs.s3a.", "fs.s3.", "fs.azure.", "aws.", "pipeline.global-job-parameters", "user.", "log.level.",
    ]

    /// Without effect here and not worth a warning: what they tune does not exist in our processes.
    private static let withoutEffect = [
        "env.", "jobmanager.memory.", "jobmanager.heap.", "taskmanager.memory.", "taskmanager.heap.", "taskmanager.cpu.", "taskmanager.network.",
        "blob.", "queryable-state.", "akka.", "pekko.", "classloader.", "tmp.dirs", "process.", "zookeeper.", "high-availability.zookeeper.",
        "high-availability.jobmanager.port", "kubernetes.", "yarn.", "containerized.", "security.kerberos.", "security.delegation.", "security.ssl.protocol",
        "security.ssl.algorithms", "security.ssl.provider", "plugin.", "web.tmpdir", "web.log.path", "historyserver.", "python.", "table.optimizer.",
        "sql-client.", "sql-gateway.", "pipeline.object-reuse", "pipeline.generic-types", "pipeline.jars", "pipeline.classpaths",
        "pipeline.serialization-config", "execution.target", "execution.checkpointing.storage", "execution.checkpointing.file-merging.",
        "execution.checkpointing.create-subdir", "state.backend.rocksdb.", "state.storage.", "state.checkpoint-storage", "jobmanager.execution.failover-strategy",
        "taskmanager.jvm-exit-on-oom", "taskmanager.log.path",
    ]

    static func accepts(_ name: String) -> Bool {
        (families + withoutEffect).contains { $0.hasSuffix(".") ? name.hasPrefix($0) : name == $0 || name.hasPrefix($0 + ".") }
    }
}

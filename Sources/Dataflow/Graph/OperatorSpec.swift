import Columnar
import Expressions

/// What an operator does, as data. Closed: a new operator makes the compiler name every place that must know it.
package indirect enum OperatorSpec: Hashable, Codable, Sendable {
    case source(SourceSpec)
    case calc(CalcSpec)
    /// Aggregates per key and slice before the exchange; its rows are partial results (`WindowAggregateSpec.partialSchema`).
    case localWindowAggregate(WindowAggregateSpec)
    /// Aggregates per key and window. With `mergesPartials` its input comes from a local one.
    case windowAggregate(WindowAggregateSpec)
    case groupAggregate(GroupAggregateSpec)
    case sink(SinkSpec)
}

/// Reads a table. Output columns: `projections` over the columns that were read.
package struct SourceSpec: Hashable, Codable, Sendable {
    package var table: String
    /// The `WITH` options, connector and format included.
    package var options: [String: String]
    /// The columns to read from outside, by name: the physical columns that the query needs, in table order.
    package var physical: Schema
    /// The names of all physical columns of the table, in order: formats without names find columns by their place. Empty: those of `physical`.
    package var tableColumns: [String]
    /// `PARTITIONED BY`: columns whose values stand in the path (`day=2026-11-22/`), not in the rows.
    package var partitionKeys: [String]
    /// Columns of `physical` that are not in the rows: what the connector says of each row under this key. By name.
    package var metadata: [String: String]?
    /// Over `physical`: computed columns and the table's column order. Nil: the physical columns as they are.
    package var projections: [Expression]?
    /// What leaves the source.
    package var output: Schema
    /// Over `output`, of type TIMESTAMP(3) or TIMESTAMP_LTZ(3): the watermark after each row; the source emits the greatest one seen per split.
    package var watermark: Expression?
    /// The event-time column in `output`; nil without a watermark.
    package var timeColumn: Int?
    /// `pipeline.auto-watermark-interval` = 0: a watermark takes effect after every row, also inside a batch.
    package var watermarkAfterEveryRow: Bool
    /// `pipeline.auto-watermark-interval` otherwise: at least so long between two watermarks while there is more to read. Nil: one after each batch.
    package var watermarkIntervalMilliseconds: Int64?
    /// `table.exec.source.idle-timeout` in milliseconds; 0: never idle by itself.
    package var idleTimeoutMilliseconds: Int64
    /// `scan.rows-per-second` over all subtasks; nil: unlimited.
    package var rowsPerSecond: Double?
    /// When the job first started, in milliseconds since the epoch (`Head.started`). The JobManager says it to `Source.discover`; elsewhere nil.
    package var jobStarted: Int64?

    package init(
        table: String, options: [String: String], physical: Schema, projections: [Expression]? = nil, output: Schema,
        watermark: Expression? = nil, watermarkAfterEveryRow: Bool = false, idleTimeoutMilliseconds: Int64 = 0, rowsPerSecond: Double? = nil,
        tableColumns: [String] = [], partitionKeys: [String] = [], timeColumn: Int? = nil
    ) {
        self.table = table
        self.options = options
        self.physical = physical
        self.tableColumns = tableColumns
        self.partitionKeys = partitionKeys
        self.timeColumn = timeColumn
        self.projections = projections
        self.output = output
        self.watermark = watermark
        self.watermarkAfterEveryRow = watermarkAfterEveryRow
        self.idleTimeoutMilliseconds = idleTimeoutMilliseconds
        self.rowsPerSecond = rowsPerSecond
    }
}

/// Filter, then project.
package struct CalcSpec: Hashable, Codable, Sendable {
    package var condition: Expression?
    package var projections: [Expression]

    package init(condition: Expression?, projections: [Expression]) {
        self.condition = condition
        self.projections = projections
    }
}

/// Writes a table. Rows arrive in the table's column order.
package struct SinkSpec: Hashable, Codable, Sendable {
    package var table: String
    package var options: [String: String]
    package var schema: Schema
    /// `PARTITIONED BY`: column positions.
    package var partitionKeys: [Int]
    /// The upsert key of an updating input; empty for an append-only one.
    package var primaryKey: [Int]

    package init(table: String, options: [String: String], schema: Schema, partitionKeys: [Int] = [], primaryKey: [Int] = []) {
        self.table = table
        self.options = options
        self.schema = schema
        self.partitionKeys = partitionKeys
        self.primaryKey = primaryKey
    }

    /// One process is asked for all commits of a checkpoint: it makes larger files of what several subtasks wrote. Only where each of them reaches what
    /// the others wrote.
    package var commitsTogether: Bool {
        options["auto-compaction"]?.lowercased() == "true" && SinkSpec.bucketSchemes.contains { options["path"]?.hasPrefix($0) == true }
    }

    /// Paths of tables that lie in a bucket begin with one of these.
    package static let bucketSchemes = ["s3://", "s3a://", "s3n://"]
}

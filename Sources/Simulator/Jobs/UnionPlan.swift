import Dataflow

/// How the tables of a job meet in a UNION ALL: in a vertex of its own, as the planner makes it for what is chained behind one.
package struct UnionPlan: Sendable {
    /// Two or three.
    package var tables: Int
    /// What meets are the results of a window over each table, not the tables' rows.
    package var isOfResults: Bool
    /// The third table meets the other two in a second UNION ALL, behind a calc over the first one.
    package var isNested: Bool
    /// A calc behind each source. It changes no row, unless it is the one that the job is about.
    package var calcsBefore: Bool
    /// A calc behind the UNION ALL.
    package var calcsBehind: Bool
    /// Forward: each subtask hears one reader of each table. Rebalance: tables that ask for other numbers of readers.
    package var partitioning: JobEdge.Partitioning

    var summary: String {
        "\(isNested ? "2 tables and another one" : "\(tables) tables")\(isOfResults ? ", results" : "")\(calcsBefore ? ", calc" : ""), union by \(partitioning)\(calcsBehind ? ", calc" : "")"
    }

    static func draw(_ random: inout Chance, shape: SimulatedJob.Shape) -> UnionPlan {
        let tables = random.pick([2, 2, 3])
        return UnionPlan(
            tables: tables, isOfResults: shape == .window && random.chance(0.25), isNested: tables == 3 && random.chance(0.6), calcsBefore: random.chance(0.4), calcsBehind: random.chance(0.4),
            partitioning: random.chance(0.85) ? .forward : .rebalance)
    }
}

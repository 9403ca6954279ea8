import Dataflow
import Expressions
import Settings

/// A compiled job for people: its vertices with their chains, and what flows between them.
package func explain(_ job: CompiledJob) -> String {
    "== Optimized Execution Plan: \(job.graph.name) ==\n\(Explanation.vertices(of: job.graph))\n"
}

/// What EXPLAIN answers: the query as bound, as optimized, and the job's vertices.
enum Explanation {
    static func text(of bound: [Plan], sinks: [SinkPlan], configuration: Configuration) throws(SQLError) -> String {
        let graph = try JobGraphBuilder.graph(of: sinks, name: "explained", configuration: configuration)
        let optimized = sinks.map { sink in
            "Sink(table=[\(sink.table.name)], fields=[\(sink.input.columns.map(\.name).joined(separator: ", "))])\n" + indented(sink.input.tree())
        }
        return """
            == Abstract Syntax Tree ==
            \(bound.map { $0.tree() }.joined(separator: "\n\n"))

            == Optimized Physical Plan ==
            \(optimized.joined(separator: "\n\n"))

            == Optimized Execution Plan ==
            \(vertices(of: graph))
            """
    }

    /// For SHOW FUNCTIONS.
    static var functions: [String] {
        let others = ["AVG(<NUMERIC>)", "COUNT(*), COUNT(<ANY>)", "MAX(<COMPARABLE_TYPE>)", "MIN(<COMPARABLE_TYPE>)", "SUM(<NUMERIC>)", "TYPEOF(<ANY>)"]
        return (FunctionCatalogue.forms + others).sorted()
    }

    private static func indented(_ tree: String) -> String {
        tree.split(separator: "\n").enumerated().map { ($0 == 0 ? "+- " : "   ") + $1 }.joined(separator: "\n")
    }

    /// A line a vertex, and a line for each of its inputs.
    fileprivate static func vertices(of graph: JobGraph) -> String {
        graph.vertices.enumerated().map { index, vertex in
            let inputs = graph.inputs(of: index).map { edge in
                let edge = graph.edges[edge]
                return "\n   <- \(edge.source + 1) \(edge.partitioning.text(over: edge.schema.names))"
            }
            return "\(index + 1): \(vertex.name)" + (vertex.parallelism.map { " (parallelism \($0))" } ?? "") + inputs.joined()
        }.joined(separator: "\n")
    }
}

extension JobEdge.Partitioning {
    fileprivate func text(over names: [String]) -> String {
        switch self {
        case .forward: "forward"
        case .hash(let columns): "hash[\(columns.map { names[$0] }.joined(separator: ", "))]"
        case .rebalance: "rebalance"
        case .single: "single"
        }
    }
}

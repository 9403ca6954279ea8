import Columnar
import Expressions

/// What a client submits: chains of operators and the edges between them. A value that travels as JSON.
package struct JobGraph: Hashable, Codable, Sendable {
    package var name: String
    /// In topological order: edges lead from lower to higher positions.
    package var vertices: [JobVertex]
    package var edges: [JobEdge]
    /// Number of key groups; fixed at submission.
    package var maxParallelism: Int

    package init(name: String, vertices: [JobVertex], edges: [JobEdge], maxParallelism: Int = 720) {
        self.name = name
        self.vertices = vertices
        self.edges = edges
        self.maxParallelism = maxParallelism
    }

    /// Edges into a vertex, in the order of its input gates.
    package func inputs(of vertex: Int) -> [Int] { edges.indices.filter { edges[$0].target == vertex } }
    package func outputs(of vertex: Int) -> [Int] { edges.indices.filter { edges[$0].source == vertex } }

    package var sources: [Int] { vertices.indices.filter { vertices[$0].source != nil } }
    package var sinks: [Int] { vertices.indices.filter { vertices[$0].sink != nil } }
}

/// A chain of operators that run in one task, one after the other.
package struct JobVertex: Hashable, Codable, Sendable {
    /// 32 hex digits, stable for the same SQL: state is found again by it.
    package var id: String
    package var chain: [ChainedOperator]
    /// Nil: the job's default parallelism.
    package var parallelism: Int?

    package init(id: String, chain: [ChainedOperator], parallelism: Int? = nil) {
        self.id = id
        self.chain = chain
        self.parallelism = parallelism
    }

    /// As Flink shows it: the operators' names joined by arrows.
    package var name: String { chain.map(\.name).joined(separator: " -> ") }

    /// The source that heads the chain, if it does not read from an edge.
    package var source: SourceSpec? {
        if case .source(let spec)? = chain.first?.spec { return spec }
        return nil
    }

    package var sink: SinkSpec? {
        if case .sink(let spec)? = chain.last?.spec { return spec }
        return nil
    }

    /// The columns of the rows that leave the chain; empty behind a sink.
    package var output: Schema { chain.last?.output ?? Schema([]) }
}

package struct ChainedOperator: Hashable, Codable, Sendable {
    /// Unique within the job and stable for the same SQL.
    package var uid: String
    /// Shown to people, e.g. `Source: ticks[1]`, `Calc[2]`, `GlobalWindowAggregate[5]`.
    package var name: String
    package var spec: OperatorSpec
    package var output: Schema

    package init(uid: String, name: String, spec: OperatorSpec, output: Schema) {
        self.uid = uid
        self.name = name
        self.spec = spec
        self.output = output
    }
}

package struct JobEdge: Hashable, Codable, Sendable {
    package enum Partitioning: Hashable, Codable, Sendable {
        /// Subtask i to subtask i; both ends have one parallelism.
        case forward
        /// By the key hash of these columns.
        case hash([Int])
        /// Batches in turn.
        case rebalance
        /// Everything to subtask 0.
        case single
    }

    package var source: Int
    package var target: Int
    package var partitioning: Partitioning
    /// The rows' types, known at both ends.
    package var schema: Schema

    package init(source: Int, target: Int, partitioning: Partitioning, schema: Schema) {
        self.source = source
        self.target = target
        self.partitioning = partitioning
        self.schema = schema
    }
}

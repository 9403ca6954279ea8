import Columnar
import Dataflow
import Expressions

/// Builds the `JobGraph` of a simulated job, as the planner would.
struct SimulatedGraphBuilder {
    private let job: SimulatedJob
    private var vertices: [JobVertex] = []
    private var edges: [JobEdge] = []
    private let input = SimulatedInput.schema
    private let bigint = DataType(.bigint)
    private let count = DataType(.bigint, nullable: false)

    init(job: SimulatedJob) { self.job = job }

    mutating func build() -> JobGraph {
        var heads: [Int] = []
        for table in job.inputs {
            heads.append(vertices.count)
            add(sourceChain(table), parallelism: job.sourceParallelism)
        }
        var last = heads
        let stages = middle()
        for (number, stage) in stages.enumerated() {
            let vertex = vertices.count
            let chainsSink = job.chainsSink && number == stages.count - 1
            add([stage.op] + (chainsSink ? [sinkOperator(stage.op.output)] : []), parallelism: job.parallelism)
            for head in last { connect(head, vertex, .hash([stage.key])) }
            last = [vertex]
        }
        if stages.isEmpty || !job.chainsSink {
            let schema = vertices[last[0]].output
            let vertex = vertices.count
            add([sinkOperator(schema)], parallelism: job.sinkParallelism, isOne: job.sinkPartitioning == .single)
            for head in last { connect(head, vertex, job.sinkPartitioning) }
        }
        return JobGraph(name: "simulated", vertices: vertices, edges: edges, maxParallelism: job.maxParallelism)
    }

    /// The vertices of a reactive job have the parallelism that the slots allow.
    private mutating func add(_ chain: [ChainedOperator], parallelism: Int, isOne: Bool = false) {
        let id = hex(0) + hex(UInt64(vertices.count + 1))
        vertices.append(JobVertex(id: id, chain: chain, parallelism: job.options.isReactive && !isOne ? nil : parallelism))
    }

    private mutating func connect(_ source: Int, _ target: Int, _ partitioning: JobEdge.Partitioning) {
        edges.append(JobEdge(source: source, target: target, partitioning: partitioning, schema: vertices[source].output))
    }

    private func sourceChain(_ table: SimulatedInput) -> [ChainedOperator] {
        let delay = Expression.literal(.integer(table.disorderMilliseconds), type: DataType(.intervalDayTime, nullable: false))
        var source = SourceSpec(
            table: table.name, options: table.stream == nil ? [:] : SimulatedStream.options, physical: input, output: input,
            watermark: .call("-", [.column(3, type: input.types[3]), delay], type: input.types[3]))
        if let stream = table.stream {
            source.metadata = ["ts": "timestamp"]
            source.rowsPerSecond = stream.rowsPerSecond
        }
        var chain = [ChainedOperator(uid: "source-\(table.name)", name: "Source: \(table.name)", spec: .source(source), output: input)]
        switch job.shape {
        case .window where job.isTwoPhase:
            let local = windowSpec(input)
            chain.append(
                ChainedOperator(
                    uid: "local-\(table.name)", name: "LocalWindowAggregate", spec: .localWindowAggregate(local), output: local.partialSchema))
        case .window, .group, .regroup: break
        case .calc:
            let output = Schema([input.fields[1], input.fields[0], .init("w", bigint)])
            let value = Expression.column(2, type: input.types[2])
            let calc = CalcSpec(
                condition: .call(
                    ">=", [value, .literal(.integer(SimulatedJob.leastValue), type: count)], type: DataType(.boolean)),
                projections: [
                    .column(1, type: input.types[1]), .column(0, type: input.types[0]),
                    .call("+", [value, .literal(.integer(1), type: count)], type: bigint),
                ])
            chain.append(ChainedOperator(uid: "calc-\(table.name)", name: "Calc", spec: .calc(calc), output: output))
        }
        return chain
    }

    /// What lies between the sources and the sink: each behind an exchange by a column.
    private func middle() -> [(key: Int, op: ChainedOperator)] {
        switch job.shape {
        case .calc: return []
        case .window:
            var spec = windowSpec(input)
            let time = DataType(.timestamp(3), nullable: false)
            let output = Schema([
                input.fields[0], .init("c", count), .init("s", bigint), .init("m", bigint), .init("window_start", time),
                .init("window_end", time), .init("window_time", time),
            ])
            spec.mergesPartials = job.isTwoPhase
            return [(0, ChainedOperator(uid: "window", name: "GlobalWindowAggregate", spec: .windowAggregate(spec), output: output))]
        case .group: return [(0, grouping(emitsUpdateBefore: job.emitsUpdateBefore))]
        case .regroup:
            let inner = grouping(emitsUpdateBefore: true)
            let spec = GroupAggregateSpec(
                input: inner.output, keys: [1],
                aggregates: [
                    AggregateCall(function: .countStar, argument: nil, type: count), AggregateCall(function: .sum, argument: 2, type: bigint),
                    AggregateCall(function: .max, argument: 3, type: bigint),
                ], emitsUpdateBefore: job.emitsUpdateBefore, consumesRetractions: true)
            let output = Schema([inner.output.fields[1], .init("n", count), .init("t", bigint), .init("g", bigint)])
            return [(0, inner), (1, ChainedOperator(uid: "regroup", name: "GroupAggregate", spec: .groupAggregate(spec), output: output))]
        }
    }

    private func grouping(emitsUpdateBefore: Bool) -> ChainedOperator {
        let spec = GroupAggregateSpec(input: input, keys: [0], aggregates: aggregates, emitsUpdateBefore: emitsUpdateBefore, consumesRetractions: false)
        let output = Schema([input.fields[0], .init("c", count), .init("s", bigint), .init("m", bigint)])
        return ChainedOperator(uid: "group", name: "GroupAggregate", spec: .groupAggregate(spec), output: output)
    }

    private var aggregates: [AggregateCall] {
        [
            AggregateCall(function: .countStar, argument: nil, type: count), AggregateCall(function: .sum, argument: 2, type: bigint),
            AggregateCall(function: .max, argument: 2, type: bigint),
        ]
    }

    private func windowSpec(_ schema: Schema) -> WindowAggregateSpec {
        WindowAggregateSpec(input: schema, keys: [0], aggregates: aggregates, window: job.window, timeColumn: 3)
    }

    private func sinkOperator(_ schema: Schema) -> ChainedOperator {
        let spec = SinkSpec(table: "out", options: job.bucket?.options ?? [:], schema: schema, primaryKey: job.isChangelog ? [0] : [])
        return ChainedOperator(uid: "sink", name: "Sink: out", spec: .sink(spec), output: Schema([]))
    }
}

extension SimulatedJob {
    /// The calc job keeps rows with at least this value, of 0…1023.
    package static let leastValue: Int64 = 200
}


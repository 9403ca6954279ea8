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
        var stages = middle()
        var endsAtUnion = false
        if let union = job.union {
            if union.isOfResults {
                last = heads.map { head in follow([head], stages[0], isLast: false) }
                stages = []
            }
            endsAtUnion = stages.isEmpty && job.chainsSink
            last = meet(last, union, isLast: endsAtUnion)
        }
        for (number, stage) in stages.enumerated() { last = [follow(last, stage, isLast: number == stages.count - 1 && job.chainsSink)] }
        if !endsAtUnion, stages.isEmpty || !job.chainsSink {
            let schema = vertices[last[0]].output
            let vertex = vertices.count
            add([sinkOperator(schema)], parallelism: job.sinkParallelism, isOne: job.sinkPartitioning == .single)
            for head in last { connect(head, vertex, job.sinkPartitioning) }
        }
        return JobGraph(name: "simulated", vertices: vertices, edges: edges, maxParallelism: job.maxParallelism)
    }

    /// A vertex behind exchanges by a column. `isLast`: with the sink.
    private mutating func follow(_ heads: [Int], _ stage: (key: Int, op: ChainedOperator), isLast: Bool) -> Int {
        var op = stage.op
        if job.union?.isOfResults ?? false { op.uid += "-\(heads[0])" }
        let vertex = vertices.count
        add([op] + (isLast ? [sinkOperator(op.output)] : []), parallelism: job.parallelism)
        for head in heads { connect(head, vertex, .hash([stage.key])) }
        return vertex
    }

    /// UNION ALL has no operator: what would be chained to its inputs begins a vertex behind them. Answers the vertices whose rows go on: the
    /// tables' own, where nothing is chained.
    private mutating func meet(_ heads: [Int], _ union: UnionPlan, isLast: Bool) -> [Int] {
        var heads = heads
        if union.isNested { heads = [meet(Array(heads.prefix(2)), union, [unchanging("inner", vertices[heads[0]].output)])] + heads.dropFirst(2) }
        var chain: [ChainedOperator] = []
        if job.shape == .calc {
            if !isCalcBeforeUnion { chain.append(calc("union")) }
        } else {
            if union.calcsBehind { chain.append(unchanging("union", vertices[heads[0]].output)) }
            if job.shape == .window, job.isTwoPhase, !union.isOfResults { chain.append(localAggregate("union")) }
        }
        if isLast { chain.append(sinkOperator(chain.last?.output ?? vertices[heads[0]].output)) }
        return chain.isEmpty ? heads : [meet(heads, union, chain)]
    }

    private mutating func meet(_ heads: [Int], _ union: UnionPlan, _ chain: [ChainedOperator]) -> Int {
        let vertex = vertices.count
        let parallelism = union.partitioning == .forward && !union.isOfResults ? job.sourceParallelism : job.parallelism
        add(chain, parallelism: parallelism)
        for head in heads { connect(head, vertex, union.partitioning) }
        return vertex
    }

    /// An inner union has no such calc.
    private var isCalcBeforeUnion: Bool { job.union.map { $0.calcsBefore && !$0.isNested } ?? true }

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
        if job.shape == .calc {
            if isCalcBeforeUnion { chain.append(calc(table.name)) }
            return chain
        }
        if job.union?.calcsBefore ?? false { chain.append(unchanging(table.name, input)) }
        if job.shape == .window, job.isTwoPhase, job.union?.isOfResults ?? true { chain.append(localAggregate(table.name)) }
        return chain
    }

    private func localAggregate(_ place: String) -> ChainedOperator {
        let local = windowSpec(input)
        return ChainedOperator(uid: "local-\(place)", name: "LocalWindowAggregate", spec: .localWindowAggregate(local), output: local.partialSchema)
    }

    /// The calc that a calc job is about.
    private func calc(_ place: String) -> ChainedOperator {
        let value = Expression.column(2, type: input.types[2])
        let calc = CalcSpec(
            condition: .call(">=", [value, .literal(.integer(SimulatedJob.leastValue), type: count)], type: DataType(.boolean)),
            projections: [.column(1, type: input.types[1]), .column(0, type: input.types[0]), plus(value, 1)])
        return ChainedOperator(
            uid: "calc-\(place)", name: "Calc", spec: .calc(calc), output: Schema([input.fields[1], input.fields[0], .init("w", bigint)]))
    }

    /// A calc that gives every row as it came.
    private func unchanging(_ place: String, _ schema: Schema) -> ChainedOperator {
        var projections = schema.types.indices.map { Expression.column($0, type: schema.types[$0]) }
        projections[2] = plus(projections[2], 0)
        return ChainedOperator(uid: "calc-\(place)", name: "Calc", spec: .calc(CalcSpec(condition: nil, projections: projections)), output: schema)
    }

    private func plus(_ value: Expression, _ number: Int64) -> Expression { .call("+", [value, .literal(.integer(number), type: count)], type: bigint) }

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


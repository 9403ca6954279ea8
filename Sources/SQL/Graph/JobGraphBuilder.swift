import Columnar
import Dataflow
import Expressions
import Settings

/// Turns optimized plans into one job: operators chained into vertices, cut where rows change hands.
struct JobGraphBuilder {
    /// Where a plan's rows come out: the last operators of one or more vertices.
    private struct Stream {
        var vertices: [Int]
        var schema: Schema
        /// Whether rows may be taken back.
        var isUpdating: Bool
    }

    private let configuration: Configuration
    private var vertices: [JobVertex] = []
    private var edges: [JobEdge] = []
    /// Counts operators and exchanges, as the numbers behind Flink's operator names do.
    private var number = 0

    init(configuration: Configuration) { self.configuration = configuration }

    /// All sinks in one job.
    static func graph(of sinks: [SinkPlan], name: String, configuration: Configuration) throws(SQLError) -> JobGraph {
        var builder = JobGraphBuilder(configuration: configuration)
        for sink in sinks { try builder.add(sink) }
        return JobGraph(
            name: configuration.get(PipelineOptions.name) ?? name, vertices: builder.identified(), edges: builder.edges,
            maxParallelism: configuration.get(PipelineOptions.maxParallelism))
    }

    // MARK: Plans

    private mutating func add(_ sink: SinkPlan) throws(SQLError) {
        let stream = enforceNotNull(sink, after: try build(sink.input, updateBefore: !sink.table.connector.ignoresUpdateBefore))
        let writable = sink.table.writable
        let schema = Schema(writable.map { Schema.Field(sink.table.columns[$0].name, sink.table.columns[$0].type) })
        func positions(_ columns: [Int]) -> [Int] { columns.compactMap { writable.firstIndex(of: $0) } }
        let spec = SinkSpec(
            table: sink.table.name, options: sink.options, schema: schema, partitionKeys: positions(sink.table.partitionKeys),
            primaryKey: positions(sink.table.primaryKey))
        let name = "Sink: \(sink.table.name)"
        guard let width = sink.options["sink.parallelism"].flatMap({ Int($0) }) else {
            _ = chain(.sink(spec), name, "sink", Schema([]), after: stream)
            return
        }
        // A changelog is never spread over subtasks at random: its rows would overtake each other.
        guard !stream.isUpdating || width == 1 else {
            throw SQLError("'sink.parallelism' of table '\(sink.table.name)' must be 1: the query changes rows it has given", at: sink.range)
        }
        _ = nextNumber()
        let writer = make(.sink(spec), name, "sink", Schema([]))
        _ = connect(stream, width == 1 ? .single : .rebalance, JobVertex(id: "", chain: [writer], parallelism: width), Schema([]))
    }

    /// Flink's `ConstraintEnforcer`: NULL for a NOT NULL column of the table fails the job, or its row is dropped. Types do not tell:
    /// rows of a file may lack what its table says is there.
    private mutating func enforceNotNull(_ sink: SinkPlan, after stream: Stream) -> Stream {
        let columns = sink.table.writable.map { sink.table.columns[$0] }
        let guarded = columns.indices.filter { !columns[$0].type.isNullable }
        guard !guarded.isEmpty, sink.table.connector != .collect else { return stream }
        var calc = CalcSpec(condition: nil, projections: sink.input.references)
        switch configuration.get(PipelineOptions.notNullEnforcer) {
        case .error:
            for index in guarded {
                let name = Expression.literal(.string(columns[index].name), type: DataType(.string, nullable: false))
                calc.projections[index] = .call(Expression.notNull, [calc.projections[index], name], type: columns[index].type)
            }
        case .drop:
            let tests = guarded.map { Expression.call("IS NOT NULL", [calc.projections[$0]], type: DataType(.boolean, nullable: false)) }
            calc.condition = tests.count == 1 ? tests[0] : .call("AND", tests, type: DataType(.boolean, nullable: false))
        }
        return chain(.calc(calc), "ConstraintEnforcer", "constraint-enforcer", stream.schema, after: stream)
    }

    private mutating func build(_ plan: Plan, updateBefore: Bool) throws(SQLError) -> Stream {
        switch plan {
        case .scan(let scan): return addSource(sourceSpec(of: scan), parallelism: scan.options["scan.parallelism"].flatMap { Int($0) })
        case .rows(let count): return addSource(numbers(count), parallelism: 1)
        case .calc(let calc):
            // Whether −U rows are there decides whether a filter may drop a +U: it needs both.
            let input = try build(calc.input, updateBefore: updateBefore || calc.condition != nil)
            if calc.condition == nil, calc.projections == calc.input.references {
                // Only names change: the operator before gives them.
                for vertex in input.vertices { vertices[vertex].chain[vertices[vertex].chain.count - 1].output = plan.schema }
                return Stream(vertices: input.vertices, schema: plan.schema, isUpdating: input.isUpdating)
            }
            return chain(.calc(CalcSpec(condition: calc.condition, projections: calc.projections)), "Calc", "calc", plan.schema, after: input)
        case .window(let window):
            throw SQLError(
                "a window function without GROUP BY window_start, window_end is not supported", at: window.range,
                hint: "group its rows: GROUP BY window_start, window_end, …")
        case .windowAggregate(let aggregate): return try build(aggregate, schema: plan.schema)
        case .aggregate(let aggregate):
            let input = try build(aggregate.input, updateBefore: true)
            let spec = GroupAggregateSpec(
                input: input.schema, keys: aggregate.keys, aggregates: aggregate.calls, emitsUpdateBefore: updateBefore, consumesRetractions: input.isUpdating)
            var stream = exchange(input, keys: aggregate.keys, .groupAggregate(spec), "GroupAggregate", "group-aggregate", plan.schema)
            stream.isUpdating = true
            return stream
        case .union(let inputs, _):
            var streams: [Stream] = []
            for input in inputs { streams.append(try build(input, updateBefore: updateBefore)) }
            return Stream(vertices: streams.flatMap(\.vertices), schema: plan.schema, isUpdating: streams.contains(where: \.isUpdating))
        }
    }

    /// Aggregates before the exchange wherever its partial results can be merged, which they cannot with DISTINCT.
    private mutating func build(_ aggregate: WindowAggregatePlan, schema: Schema) throws(SQLError) -> Stream {
        let onePhase = configuration.text("table.optimizer.agg-phase-strategy")?.uppercased() == "ONE_PHASE"
            || aggregate.calls.contains(where: \.distinct)
        // Before an exchange columns are put in order and dropped; an aggregate on this side of it finds them where they are.
        let aggregate = onePhase ? aggregate : aggregate.readingThroughReferences
        let input = try build(aggregate.input, updateBefore: true)
        var spec = WindowAggregateSpec(
            input: input.schema, keys: aggregate.keys, aggregates: aggregate.calls, window: aggregate.spec, timeColumn: aggregate.timeColumn,
            zone: aggregate.zone)
        if onePhase {
            return exchange(input, keys: aggregate.keys, .windowAggregate(spec), "WindowAggregate", "window-aggregate", schema)
        }
        let local = chain(.localWindowAggregate(spec), "LocalWindowAggregate", "local-window-aggregate", spec.partialSchema, after: input)
        spec.mergesPartials = true
        return exchange(
            local, keys: Array(aggregate.keys.indices), .windowAggregate(spec), "GlobalWindowAggregate", "global-window-aggregate", schema)
    }

    // MARK: Sources

    private func sourceSpec(of scan: ScanPlan) -> SourceSpec {
        let table = scan.table
        let selected = scan.selected.map { table.columns[$0] }
        var read: Set<Int> = []
        for position in scan.selected {
            switch table.columns[position].kind {
            case .physical, .metadata: read.insert(position)
            case .computed(let expression): read.formUnion(expression.columns)
            }
        }
        // A table of nothing but constants, and what the connector says of each row, still needs its rows.
        if !read.contains(where: { table.columns[$0].kind == .physical }), let first = table.columns.firstIndex(where: { $0.kind == .physical }) { read.insert(first) }
        let physical = read.sorted()
        /// The connector gives metadata in a type of its own.
        func given(_ column: Int) -> DataType {
            guard case .metadata(let key, _) = table.columns[column].kind else { return table.columns[column].type }
            return table.connector.metadata.first { $0.key == key }?.type ?? table.columns[column].type
        }
        /// What stands for each of the table's columns.
        let values = table.columns.indices.map { column -> Expression in
            let type = table.columns[column].type
            let value = Expression.column(physical.firstIndex(of: column) ?? 0, type: given(column))
            return given(column).kind == type.kind ? .column(physical.firstIndex(of: column) ?? 0, type: type) : .cast(value, to: type, safe: false)
        }
        let projections = scan.selected.map { column -> Expression in
            switch table.columns[column].kind {
            case .physical, .metadata: values[column]
            case .computed(let expression): expression.substituting(values)
            }
        }
        let isAsRead = scan.selected == physical && physical.allSatisfy { given($0).kind == table.columns[$0].type.kind }
        let physicalSchema = Schema(physical.map { Schema.Field(table.columns[$0].name, given($0)) })
        let metadata = physical.compactMap { column -> (String, String)? in
            guard case .metadata(let key, _) = table.columns[column].kind else { return nil }
            return (table.columns[column].name, key)
        }
        let selectedPositions = scan.selected
        let watermark = table.watermark.map { watermark in
            watermark.expression.mappingColumns { column in selectedPositions.firstIndex(of: column) ?? 0 }
        }
        let idle = scan.options["scan.watermark.idle-timeout"].flatMap { Duration(configText: $0) } ?? configuration.get(PipelineOptions.idleTimeout)
        let rate = scan.options["scan.rows-per-second"].flatMap { Double($0) } ?? configuration.get(PipelineOptions.rowsPerSecond).map { Double($0) }
        let interval = configuration.get(PipelineOptions.autoWatermarkInterval)
        var spec = SourceSpec(
            table: table.name, options: scan.options, physical: physicalSchema, projections: isAsRead ? nil : projections,
            output: Schema(selected.map { Schema.Field($0.name, $0.type) }), watermark: watermark,
            watermarkAfterEveryRow: interval == .zero, idleTimeoutMilliseconds: Int64(idle / .milliseconds(1)),
            rowsPerSecond: rate, tableColumns: table.columns.filter { $0.kind == .physical }.map(\.name),
            partitionKeys: table.partitionKeys.map { table.columns[$0].name },
            timeColumn: table.watermark.flatMap { scan.selected.firstIndex(of: $0.column) })
        if watermark != nil, interval > .zero { spec.watermarkIntervalMilliseconds = Int64(interval / .milliseconds(1)) }
        if !metadata.isEmpty { spec.metadata = Dictionary(metadata) { first, _ in first } }
        return spec
    }

    /// The numbers from 0, from the generator that every installation has.
    private func numbers(_ count: Int) -> SourceSpec {
        let schema = Plan.rows(count).schema
        let name = schema.fields[0].name
        return SourceSpec(
            table: "Values",
            options: [
                "connector": "datagen", "number-of-rows": "\(count)", "fields.\(name).kind": "sequence", "fields.\(name).start": "0",
                "fields.\(name).end": "\(count - 1)",
            ], physical: schema, output: schema)
    }

    // MARK: Vertices

    private mutating func nextNumber() -> Int {
        number += 1
        return number
    }

    private mutating func make(_ spec: OperatorSpec, _ name: String, _ kind: String, _ output: Schema) -> ChainedOperator {
        let number = nextNumber()
        return ChainedOperator(uid: "\(number)_\(kind)", name: "\(name)[\(number)]", spec: spec, output: output)
    }

    private mutating func addSource(_ spec: SourceSpec, parallelism: Int?) -> Stream {
        let source = make(.source(spec), "Source: \(spec.table)", "source", spec.output)
        vertices.append(JobVertex(id: "", chain: [source], parallelism: parallelism))
        return Stream(vertices: [vertices.count - 1], schema: spec.output, isUpdating: false)
    }

    /// Behind the last operator of the vertex; several vertices meet in a new one.
    private mutating func chain(_ spec: OperatorSpec, _ name: String, _ kind: String, _ output: Schema, after stream: Stream) -> Stream {
        let next = make(spec, name, kind, output)
        guard stream.vertices.count > 1 else {
            vertices[stream.vertices[0]].chain.append(next)
            return Stream(vertices: stream.vertices, schema: output, isUpdating: stream.isUpdating)
        }
        let widths = Set(stream.vertices.map { vertices[$0].parallelism })
        let partitioning: JobEdge.Partitioning, parallelism: Int?
        if widths.count == 1, let width = widths.first { (partitioning, parallelism) = (.forward, width) } else {
            // Changes of one row must not overtake each other on different ways.
            (partitioning, parallelism) = stream.isUpdating ? (.single, 1) : (.rebalance, nil)
        }
        return connect(stream, partitioning, JobVertex(id: "", chain: [next], parallelism: parallelism), output)
    }

    /// To the subtask that owns the keys; without keys to the only one.
    private mutating func exchange(
        _ stream: Stream, keys: [Int], _ spec: OperatorSpec, _ name: String, _ kind: String, _ output: Schema
    ) -> Stream {
        _ = nextNumber()
        let next = make(spec, name, kind, output)
        return connect(stream, keys.isEmpty ? .single : .hash(keys), JobVertex(id: "", chain: [next], parallelism: keys.isEmpty ? 1 : nil), output)
    }

    private mutating func connect(_ stream: Stream, _ partitioning: JobEdge.Partitioning, _ vertex: JobVertex, _ output: Schema) -> Stream {
        let target = vertices.count
        vertices.append(vertex)
        for source in stream.vertices {
            edges.append(JobEdge(source: source, target: target, partitioning: partitioning, schema: stream.schema))
        }
        return Stream(vertices: [target], schema: output, isUpdating: stream.isUpdating)
    }

    /// Ids follow from the operators' names and the vertices before, so the same statements find their state again even when a
    /// constant in them changed.
    private func identified() -> [JobVertex] {
        var identified = vertices
        for index in identified.indices {
            let inputs = edges.filter { $0.target == index }.map { identified[$0.source].id }
            let text = "\(index) \(identified[index].name) <- \(inputs.joined(separator: " "))"
            identified[index].id = hexadecimal(fingerprint(text, seed: 0xCBF2_9CE4_8422_2325)) + hexadecimal(fingerprint(text, seed: 0x6C62_272E_07BB_0142))
        }
        return identified
    }
}

extension WindowAggregatePlan {
    /// The same over the input of a calc that only picks columns.
    fileprivate var readingThroughReferences: WindowAggregatePlan {
        guard case .calc(let calc) = input, calc.condition == nil else { return self }
        var positions: [Int] = []
        for projection in calc.projections {
            guard case .column(let position, _) = projection else { return self }
            positions.append(position)
        }
        var moved = self
        moved.input = calc.input
        moved.keys = keys.map { positions[$0] }
        moved.timeColumn = positions[timeColumn]
        for index in moved.calls.indices {
            moved.calls[index].argument = calls[index].argument.map { positions[$0] }
            moved.calls[index].filter = calls[index].filter.map { positions[$0] }
        }
        return moved
    }
}

/// FNV-1a.
private func fingerprint(_ text: String, seed: UInt64) -> UInt64 {
    text.utf8.reduce(seed) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
}

private func hexadecimal(_ number: UInt64) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

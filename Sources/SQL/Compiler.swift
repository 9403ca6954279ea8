import Columnar
import Dataflow
import Expressions
import Settings

/// What a script asks for, in order, once all of it was understood.
package struct CompiledScript: Sendable {
    package enum Step: Sendable {
        case job(CompiledJob)
        /// The answer of EXPLAIN, SHOW, DESCRIBE or SET without arguments.
        case text(String)
    }

    package var steps: [Step]
    /// As it is after the last statement.
    package var configuration: Configuration

    package var jobs: [CompiledJob] {
        steps.compactMap { if case .job(let job) = $0 { job } else { nil } }
    }
}

package struct CompiledJob: Sendable {
    package var graph: JobGraph
    /// With the SET statements before it.
    package var configuration: Configuration
    /// The columns of a bare SELECT, whose rows go to a sink of connector `collect`; nil for INSERTs.
    package var output: Schema?
    /// Whether rows of it may be taken back (−U, −D).
    package var isUpdating: Bool
}

/// Reads a whole script and makes its jobs; nothing of it may be run when this throws.
///
/// INSERTs that follow each other make one job, as do those of a statement set; a SET between them begins the next. Every bare
/// SELECT is a job of its own. `configuration` holds what files and the command line say; SET goes over it. A script that takes longer
/// than `patience` is refused: others wait for who compiles it.
package func compile(
    script: String, configuration: Configuration = Configuration(), connectors: ConnectorCatalogue = .builtIn, patience: Duration = .seconds(10)
) throws(SQLError) -> CompiledScript {
    let start = ContinuousClock.now
    let statements = try parse(script: script)
    do throws(SQLError) {
        var compiler = Compiler(configuration: configuration, connectors: connectors, script: script)
        for statement in statements {
            try compiler.run(statement)
            if start.duration(to: .now) > patience { throw SQLError("the script takes more than \(patience) to plan", at: statement.range) }
        }
        try compiler.finishInserts()
        return CompiledScript(steps: compiler.steps, configuration: compiler.configuration)
    } catch {
        throw error.located(in: script)
    }
}

extension OperatorSpec {
    /// What it computes for each row.
    fileprivate var expressions: [Expression] {
        switch self {
        case .source(let spec): (spec.projections ?? []) + (spec.watermark.map { [$0] } ?? [])
        case .calc(let spec): spec.projections + (spec.condition.map { [$0] } ?? [])
        case .localWindowAggregate, .windowAggregate, .groupAggregate, .sink: []
        }
    }
}

/// Goes through the statements with the catalog and configuration as they are at each.
private struct Compiler {
    private let base: Configuration
    private(set) var configuration: Configuration
    private let connectors: ConnectorCatalogue
    private let script: String
    private var catalog = Catalog()
    private(set) var steps: [CompiledScript.Step] = []
    /// INSERTs that are to be one job.
    private var sinks: [SinkPlan] = []
    private var answerBytes = 0
    /// Line ends before a place in the script: statements come in order, and each SET asks for its line.
    private var counted = (bytes: 0, lines: 0)

    init(configuration: Configuration, connectors: ConnectorCatalogue, script: String) {
        base = configuration
        self.configuration = configuration
        self.connectors = connectors
        self.script = script
    }

    private var binder: QueryBinder { QueryBinder(catalog: catalog, connectors: connectors) }

    mutating func run(_ statement: StatementSyntax) throws(SQLError) {
        switch statement.kind {
        case .createTable(let table):
            if table.ifNotExists, try catalog.entry(table.name) != nil { return }
            try catalog.add(.table(try table.bound(connectors: connectors)), as: table.name)
        case .createView(let view):
            if view.ifNotExists, try catalog.entry(view.name) != nil { return }
            var binder = binder
            let plan = try binder.bind(view.query)
            try catalog.add(.view(try binder.rename(plan, to: view.columns, of: view.name.last)), as: view.name)
        case .drop(let drop): try catalog.drop(drop)
        case .set(let option?): try set(option)
        case .set(nil): try answer(configuration.masked.map { "'\($0.name)' = '\($0.value)'" }.joined(separator: "\n"), at: statement.range)
        case .reset(let key):
            try finishInserts()
            configuration = configuration.resetting(key, to: base)
        case .insert(let insert):
            var binder = binder
            sinks.append(try optimized(try binder.bind(insert)))
        case .statementSet(let inserts):
            try finishInserts()
            for insert in inserts {
                var binder = binder
                sinks.append(try optimized(try binder.bind(insert)))
            }
            try finishInserts()
        case .query(let query):
            try finishInserts()
            steps.append(.job(try job(of: query)))
        case .explain(_, let inner): try answer(try explain(inner), at: statement.range)
        case .show(let words, let name): try answer(try show(words, name, at: statement.range), at: statement.range)
        case .describe(let name): try answer(try describe(name), at: statement.range)
        case .other(let words): throw SQLError("\(words) is not supported", at: statement.range)
        }
    }

    // MARK: Jobs

    mutating func finishInserts() throws(SQLError) {
        guard !sinks.isEmpty else { return }
        defer { sinks = [] }
        guard sinks.reduce(0, { $0 + $1.input.steps }) <= ScriptLimits.steps else {
            throw SQLError("a job of more than \(ScriptLimits.steps) steps", at: sinks[0].range, hint: "a SET between INSERTs begins another job")
        }
        let targets = sinks.map { "\(Catalog.name).\(Catalog.database).\($0.table.name)" }.joined(separator: ",")
        let graph = try JobGraphBuilder.graph(of: sinks, name: "insert-into_\(targets)", configuration: configuration)
        steps.append(.job(CompiledJob(graph: graph, configuration: configuration, output: nil, isUpdating: sinks.contains { $0.input.isUpdating })))
    }

    private func job(of query: QuerySyntax) throws(SQLError) -> CompiledJob {
        let sink = try collectSink(query)
        let graph = try JobGraphBuilder.graph(of: [sink], name: "collect", configuration: configuration)
        return CompiledJob(graph: graph, configuration: configuration, output: sink.input.schema, isUpdating: sink.input.isUpdating)
    }

    /// A bare SELECT as an INSERT into a table that keeps the rows for the caller.
    private func collectSink(_ query: QuerySyntax) throws(SQLError) -> SinkPlan {
        var binder = binder
        let plan = try binder.bind(query)
        let columns = plan.columns.map { TableDefinition.Column(name: $0.name, type: $0.type, kind: .physical) }
        let table = TableDefinition(
            name: "collect", columns: columns, watermark: nil, primaryKey: [], partitionKeys: [], options: ["connector": "collect"], connector: .collect)
        return try optimized(SinkPlan(input: plan, table: table, options: table.options, range: query.range))
    }

    private func optimized(_ sink: SinkPlan) throws(SQLError) -> SinkPlan {
        var sink = sink
        sink.input = try Optimizer.optimize(sink.input, localTimeZone: configuration.get(PipelineOptions.localTimeZone))
        try sink.refuseChanges()
        // Refuses what only looks runnable until operators are made of it, with its place in the script.
        let graph = try JobGraphBuilder.graph(of: [sink], name: "", configuration: configuration)
        for vertex in graph.vertices {
            for expression in vertex.chain.flatMap(\.spec.expressions) {
                do { _ = try Evaluator([expression]) } catch { throw SQLError(error.description, at: sink.range) }
            }
        }
        return sink
    }

    // MARK: Settings

    private mutating func set(_ option: OptionSyntax) throws(SQLError) {
        try finishInserts()
        let line = self.line(of: option.keyRange.start)
        do {
            configuration = try configuration.setting(option.key, to: option.value, origin: .set(line: line))
        } catch {
            throw SQLError(error.description, at: option.valueRange)
        }
    }

    private mutating func line(of byte: Int) -> Int {
        counted.lines += script.utf8.dropFirst(counted.bytes).prefix(byte - counted.bytes).count { $0 == UInt8(ascii: "\n") }
        counted.bytes = byte
        return counted.lines + 1
    }

    // MARK: Answers

    private mutating func answer(_ text: String, at range: SourceRange) throws(SQLError) {
        answerBytes += text.utf8.count
        guard answerBytes <= ScriptLimits.answers else { throw SQLError("the script's answers have more than \(ScriptLimits.answers >> 20) MiB", at: range) }
        steps.append(.text(text))
    }

    private func explain(_ statement: StatementSyntax) throws(SQLError) -> String {
        var bound: [SinkPlan] = []
        switch statement.kind {
        case .query(let query):
            var binder = binder
            let plan = try binder.bind(query)
            return try Explanation.text(of: [plan], sinks: [try collectSink(query)], configuration: configuration)
        case .insert(let insert):
            var binder = binder
            bound.append(try binder.bind(insert))
        case .statementSet(let inserts):
            for insert in inserts {
                var binder = binder
                bound.append(try binder.bind(insert))
            }
        default: throw SQLError("EXPLAIN explains queries, INSERTs and statement sets", at: statement.range)
        }
        var sinks: [SinkPlan] = []
        for sink in bound { sinks.append(try optimized(sink)) }
        return try Explanation.text(of: bound.map(\.input), sinks: sinks, configuration: configuration)
    }

    private func show(_ words: String, _ name: ObjectNameSyntax?, at range: SourceRange) throws(SQLError) -> String {
        switch words {
        case "TABLES": return catalog.names.joined(separator: "\n")
        case "VIEWS": return catalog.names(ofViews: true).joined(separator: "\n")
        case "CATALOGS", "CURRENT CATALOG": return Catalog.name
        case "DATABASES", "CURRENT DATABASE": return Catalog.database
        case "FUNCTIONS": return Explanation.functions.joined(separator: "\n")
        case "COLUMNS FROM", "COLUMNS IN": if let name { return try describe(name) }
        default: break
        }
        throw SQLError("SHOW \(words) is not supported", at: range, hint: "there are SHOW TABLES, VIEWS, FUNCTIONS and COLUMNS FROM t")
    }

    private func describe(_ name: ObjectNameSyntax) throws(SQLError) -> String {
        let columns: [PlanColumn] = switch try catalog.expectEntry(name) {
        case .view(let plan): plan.columns
        case .table(let table): ScanPlan(table: table, selected: Array(table.columns.indices), options: [:]).columns
        }
        return columns.map { "\($0.name)\t\($0.type)\($0.isRowtime ? " *ROWTIME*" : "")" }.joined(separator: "\n")
    }
}

import Columnar
import Dataflow
import Expressions
import Operators

/// Makes a task from its plan: readers, operators and writers, restored.
package enum TaskBuilder {
    /// `restore` holds the task's key groups, its own units, and those of subtasks that are no more. `wake` may be called from any
    /// thread when a reader that had nothing has rows again. May wait for disks and networks.
    package static func make(
        plan: TaskPlan, restore: TaskRestore = TaskRestore(), connectors: any ConnectorRegistry, options: TaskOptions = TaskOptions(),
        budget: MemoryBudget = .unlimited, wake: @escaping @Sendable () -> Void = {}
    ) throws(StreamError) -> Task {
        var chain = TaskChain()
        let clock = chain.clock
        var batches = chance(of: plan) | 1 << 38
        for part in plan.vertex.chain {
            do throws(StreamError) {
                switch part.spec {
                case .source(let spec): chain.source = try source(spec, name: part.name, plan, connectors, options, wake)
                case .sink(let spec):
                    let context = WriterContext(
                        task: plan.task, parallelism: plan.parallelism, restored: restore.state(of: part.uid)?.units ?? [], slotBytes: budget.slotShare)
                    chain.sink = TaskChain.Sink(name: part.name, uid: part.uid, writer: try connectors.sink(spec).makeWriter(context))
                case .calc, .localWindowAggregate, .windowAggregate, .groupAggregate:
                    let context = OperatorContext(
                        uid: part.uid, maxParallelism: plan.maxParallelism, groups: plan.groups, batchRows: options.batchRows)
                    let op = try OperatorFactory.make(part.spec, context: context) {
                        batches &+= 1
                        return EvaluationContext(now: clock.now.wallMilliseconds, zone: options.zone, chance: batches)
                    }
                    if let state = restore.state(of: part.uid), !options.faults.contains(.operatorsStartEmpty) { try op.restore(state) }
                    chain.operators.append(TaskChain.Link(name: part.name, uid: part.uid, op: op))
                }
            } catch {
                throw error.during(part.name)
            }
        }
        return Task(plan: plan, chain: chain, options: options, budget: budget)
    }

    private static func source(
        _ spec: SourceSpec, name: String, _ plan: TaskPlan, _ connectors: any ConnectorRegistry, _ options: TaskOptions,
        _ wake: @escaping @Sendable () -> Void
    ) throws(StreamError) -> TaskChain.Source {
        let context = ReaderContext(
            subtask: plan.task.subtask.index, parallelism: plan.parallelism, batchRows: options.batchRows, wake: wake)
        var source = TaskChain.Source(name: name, reader: try connectors.source(spec).makeReader(context))
        let chance = chance(of: plan)
        if let projections = spec.projections {
            let compute = try evaluation(projections, options.zone, chance: chance)
            source.project = { (batch, now) throws(StreamError) in
                Batch(count: batch.count, columns: try compute(batch, now), kinds: batch.kinds)
            }
        }
        if let watermark = spec.watermark {
            let compute = try evaluation([watermark], options.zone, chance: chance | 1 << 39)
            source.watermark = { (batch, now) throws(StreamError) in try compute(batch, now)[0] }
            // A graph from elsewhere may not say: then it is the only time that the watermark reads.
            let times = watermark.columns.filter { spec.output.fields[$0].type.kind.isTimestamp }
            source.timeColumn = spec.timeColumn ?? (times.count == 1 ? times.first : nil)
            source.stampsRows = source.timeColumn.map { !(spec.projections?[$0].isDeterministic ?? true) } ?? false
        }
        source.watermarkAfterEveryRow = spec.watermarkAfterEveryRow
        source.watermarkInterval = .milliseconds(spec.watermarkIntervalMilliseconds ?? 0)
        source.idleTimeout = .milliseconds(spec.idleTimeoutMilliseconds)
        source.rowsPerSecond = spec.rowsPerSecond.map { $0 / Double(plan.parallelism) }
        return source
    }

    /// Numbers for RAND() and the like: another run for each subtask, another number for each batch.
    private static func chance(of plan: TaskPlan) -> UInt64 {
        UInt64(plan.task.subtask.index) << 40 | UInt64(plan.task.attempt) << 56
    }

    private static func evaluation(
        _ expressions: [Expression], _ zone: ZoneRules, chance: UInt64
    ) throws(StreamError) -> (Batch, Now) throws(StreamError) -> [Column] {
        var batches = chance
        do throws(EvaluationError) {
            var evaluator = try Evaluator(expressions)
            return { (batch, now) throws(StreamError) in
                batches &+= 1
                let context = EvaluationContext(now: now.wallMilliseconds, zone: zone, chance: batches)
                do throws(EvaluationError) { return try evaluator.evaluate(batch, context: context) } catch {
                    throw StreamError(.user, retry: false, error.description)
                }
            }
        } catch {
            throw StreamError(.user, retry: false, error.description)
        }
    }
}

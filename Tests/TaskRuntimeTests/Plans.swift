import Columnar
import Dataflow
import TaskRuntime

/// A task with a list of its effects, for stories.
final class Subject {
    let task: Task
    private(set) var effects: [TaskEffect] = []
    private(set) var time: Int64 = 0

    init(_ task: Task) { self.task = task }

    /// Effects since the last call, in words.
    func said() -> [String] {
        defer { effects = [] }
        return words(effects)
    }

    /// As it goes into a checkpoint.
    var lastSnapshot: TaskSnapshot? {
        let last = effects.reversed().lazy.compactMap { if case .snapshot(_, let snapshot) = $0 { snapshot } else { nil } }.first
        return last.flatMap { try? $0.finished() }
    }

    @discardableResult
    func tell(_ command: TaskCommand, at milliseconds: Int64 = 0) -> Subject {
        time = max(time, milliseconds)
        task.handle(command, at: .milliseconds(time), into: &effects)
        task.checkInvariants()
        return self
    }

    @discardableResult
    func step(at milliseconds: Int64 = 0) -> StepResult {
        time = max(time, milliseconds)
        let result = task.step(at: .milliseconds(time), into: &effects)
        task.checkInvariants()
        return result
    }

    /// Steps until there is nothing more to do.
    @discardableResult
    func run(at milliseconds: Int64 = 0) -> StepResult {
        while true {
            let result = step(at: milliseconds)
            if result != .worked { return result }
        }
    }
}

func vertex(_ name: String) -> JobVertex {
    JobVertex(id: name, chain: [ChainedOperator(uid: name, name: name, spec: .calc(CalcSpec(condition: nil, projections: [])), output: rowSchema)])
}

/// `inputs`: channels of edge 0 into subtask 0. `outputs`: channels of edge 1 out of it.
func plan(inputs: Int = 0, outputs: Int = 0, partitioning: JobEdge.Partitioning = .rebalance, groups: Int = 128) -> TaskPlan {
    TaskPlan(
        task: TaskID(job: job, subtask: SubtaskID(vertex: 1, index: 0), attempt: 1), vertex: vertex("v"), parallelism: 1, maxParallelism: groups,
        groups: Array(0..<groups),
        inputs: inputs == 0 ? [] : [.init(edge: 0, channels: (0..<inputs).map { channel(0, $0, 0) }, types: rowSchema.types)],
        outputs: outputs == 0
            ? []
            : [
                .init(
                    edge: 1, partitioning: partitioning, channels: (0..<outputs).map { channel(1, 0, $0) }, targets: Array(0..<outputs),
                    owners: KeyGroup.table(parallelism: outputs, groups: groups))
            ])
}

func barrier(_ id: CheckpointID, _ kind: CheckpointKind = .checkpoint) -> Barrier { Barrier(checkpoint: id, kind: kind) }

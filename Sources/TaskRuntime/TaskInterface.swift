import Columnar
import Dataflow
import Wire

/// Everything a task must know about its place in the job.
package struct TaskPlan: Sendable {
    /// One edge into the task.
    package struct Input: Sendable {
        package var edge: Int
        package var channels: [ChannelID]
        package var types: [DataType]

        package init(edge: Int, channels: [ChannelID], types: [DataType]) {
            self.edge = edge
            self.channels = channels
            self.types = types
        }
    }

    /// One edge out of the task. `channels[i]` leads to target subtask `targets[i]`.
    package struct Output: Sendable {
        package var edge: Int
        package var partitioning: JobEdge.Partitioning
        package var channels: [ChannelID]
        package var targets: [Int]
        /// For each key group the target subtask (hash edges).
        package var owners: [UInt16]

        package init(edge: Int, partitioning: JobEdge.Partitioning, channels: [ChannelID], targets: [Int], owners: [UInt16]) {
            self.edge = edge
            self.partitioning = partitioning
            self.channels = channels
            self.targets = targets
            self.owners = owners
        }
    }

    package var task: TaskID
    package var vertex: JobVertex
    package var parallelism: Int
    package var maxParallelism: Int
    /// Key groups that the subtask owns.
    package var groups: [Int]
    package var inputs: [Input]
    package var outputs: [Output]

    package init(
        task: TaskID, vertex: JobVertex, parallelism: Int, maxParallelism: Int, groups: [Int], inputs: [Input], outputs: [Output]
    ) {
        self.task = task
        self.vertex = vertex
        self.parallelism = parallelism
        self.maxParallelism = maxParallelism
        self.groups = groups
        self.inputs = inputs
        self.outputs = outputs
    }

    /// The plan of one subtask of a layout.
    package init(job: JobID, graph: JobGraph, layout: Layout, subtask: SubtaskID) {
        let vertex = subtask.vertex
        func channel(_ edge: Int, _ from: Int, _ to: Int) -> ChannelID { layout.channel(of: job, graph, edge: edge, from: from, to: to) }
        self.init(
            task: layout.task(subtask, of: job), vertex: graph.vertices[vertex],
            parallelism: layout.vertices[vertex].parallelism, maxParallelism: graph.maxParallelism,
            groups: layout.vertices[vertex].groups(of: subtask.index),
            inputs: graph.inputs(of: vertex).map { edge in
                Input(
                    edge: edge, channels: layout.origins(of: graph.edges[edge], to: subtask.index).map { channel(edge, $0, subtask.index) },
                    types: graph.edges[edge].schema.types)
            },
            outputs: graph.outputs(of: vertex).map { edge in
                let targets = layout.targets(of: graph.edges[edge], from: subtask.index)
                return Output(
                    edge: edge, partitioning: graph.edges[edge].partitioning, channels: targets.map { channel(edge, subtask.index, $0) },
                    targets: targets, owners: layout.vertices[graph.edges[edge].target].owners)
            })
    }
}

/// What a task is told. Handed to it on its own thread, in the order of arrival.
package enum TaskCommand: Sendable {
    case start
    case element(ChannelID, sequence: UInt64, StreamElement)
    case credit(ChannelID, batches: UInt32)
    /// Source tasks: inject this barrier. Other tasks ignore it; theirs comes through their channels.
    case trigger(Barrier)
    case completed(CheckpointID)
    case aborted(CheckpointID)
    /// As in `LeaderMessage`.
    case splits([SplitState], noMore: Bool, released: [String] = [])
    /// A planned change: open what it brings; it takes effect at the barrier that names its layout.
    case prepare(TaskChange)
    /// The channels of that planned change are open: send state that leaves with it ahead.
    case copyAhead(LayoutEpoch)
    /// That planned change is dropped before its barrier came: forget what it opened and what was copied for it.
    case withdraw(LayoutEpoch)
    /// State that another task hands over.
    case state(StateParcel)
}

/// What a task's host carries out.
package enum TaskEffect: Sendable {
    case send(ChannelID, sequence: UInt64, StreamElement)
    case credit(ChannelID, batches: UInt32)
    case snapshot(CheckpointID, TaskSnapshot)
    case needsSplits
    case splitFinished(String)
    /// Encode the state of these key groups, elsewhere, and send it to its new owner (`StateParcel`).
    case handOver([OperatorSnapshot], LayoutChange.Departure, layout: LayoutEpoch, isAhead: Bool)
    /// All that was sent ahead of this change is taken in.
    case copied(LayoutEpoch)
    /// The layout of a planned change holds here, and the state that it brought has come; or the task has retired.
    case settled(LayoutEpoch)
    /// All input is read and all results are sent. The task stays and answers barriers.
    case ended
    /// The task does nothing any more.
    case failed(StreamError)
}

/// What a step came to, and so when to step again.
package enum StepResult: Hashable, Sendable {
    /// Something was done; there may be more at once.
    case worked
    /// Nothing to do until a command comes, or until `wake`.
    case idle(wake: Instant?)
    /// Results wait for credit; nothing happens until `credit` comes, or until `wake`.
    case backpressured(wake: Instant?)
    /// Not started, failed, or stopped at its last barrier.
    case stopped
}

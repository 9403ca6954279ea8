import Columnar
import Dataflow
import Synchronization
import TaskRuntime

/// Which task of this process each channel ends at: where elements and credits that arrive from other TaskManagers go.
package final class ChannelTable: Sendable {
    package struct End: Sendable {
        package let slot: SlotThread
        package let task: TaskID
        /// The channel's columns, for its receiving end.
        package let types: [DataType]

        package init(slot: SlotThread, task: TaskID, types: [DataType]) {
            self.slot = slot
            self.task = task
            self.types = types
        }
    }

    private struct Ends {
        var receiving: [ChannelID: End] = [:]
        var sending: [ChannelID: End] = [:]
        var tasks: [TaskID: SlotThread] = [:]
    }

    private let ends = Mutex(Ends())

    package init() {}

    package func add(receiving channel: ChannelID, _ end: End) { ends.withLock { $0.receiving[channel] = end } }
    package func add(sending channel: ChannelID, _ end: End) { ends.withLock { $0.sending[channel] = end } }

    package func receiving(_ channel: ChannelID) -> End? { ends.withLock { $0.receiving[channel] } }
    package func sending(_ channel: ChannelID) -> End? { ends.withLock { $0.sending[channel] } }

    /// Where a task is: state may be on its way to it.
    package func add(_ task: TaskID, on slot: SlotThread) { ends.withLock { $0.tasks[task] = slot } }
    package func slot(of task: TaskID) -> SlotThread? { ends.withLock { $0.tasks[task] } }

    /// Tasks that a planned change has retired, and the channels that end at them.
    package func remove(_ retired: Set<TaskID>) {
        ends.withLock { ends in
            ends.receiving = ends.receiving.filter { !retired.contains($0.value.task) }
            ends.sending = ends.sending.filter { !retired.contains($0.value.task) }
            ends.tasks = ends.tasks.filter { !retired.contains($0.key) }
        }
    }

    /// Only these channels of the job are left.
    package func keep(_ channels: Set<ChannelID>, of job: JobID) {
        ends.withLock { ends in
            ends.receiving = ends.receiving.filter { $0.key.job != job || channels.contains($0.key) }
            ends.sending = ends.sending.filter { $0.key.job != job || channels.contains($0.key) }
        }
    }

    package func remove(job: JobID, attemptsUpTo attempt: UInt32) {
        ends.withLock { ends in
            ends.receiving = ends.receiving.filter { $0.key.job != job || $0.key.attempt > attempt }
            ends.sending = ends.sending.filter { $0.key.job != job || $0.key.attempt > attempt }
            ends.tasks = ends.tasks.filter { $0.key.job != job || $0.key.attempt > attempt }
        }
    }
}

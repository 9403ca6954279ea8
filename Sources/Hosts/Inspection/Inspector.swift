import Dataflow
import Glibc

/// Answers questions about its own process. Called on threads that may wait.
package struct Inspector: Sendable {
    /// A piece of a file in one answer.
    package static let pieceBytes = 256 << 10
    private static let maximumRounds: UInt32 = 1000
    private static let maximumStacks = 5000

    private let log: Log
    private let memoryBytes: Int64?
    private let load = ProcessLoad()
    private let more: @Sendable () -> [Figure]

    /// `memoryBytes`: what the process may use. `more`: figures beside the process's own.
    package init(log: Log, memoryBytes: Int64? = nil, more: @escaping @Sendable () -> [Figure] = { [] }) {
        self.log = log
        self.memoryBytes = memoryBytes
        self.more = more
    }

    package func answer(_ question: Question) -> Answer {
        switch question {
        case .figures:
            let process = ProcessFigures.now(maximumBytes: memoryBytes)
            return .figures(process.named(load: load.take(process)).map { Figure(name: $0.name, value: $0.value) } + more())
        case .files: return .files(log.files)
        case .file(let name, let offset, let limit):
            return log.read(file: name ?? log.currentFile, offset: offset, limit: min(Int(limit), Inspector.pieceBytes)).map { .part($0) } ?? .noSuchFile
        case .standardOutput(let offset, let limit):
            return .part(LogFiles.standardOutput(offset: offset, limit: min(Int(limit), Inspector.pieceBytes)))
        case .threads: return .threads(ThreadStacks.take().map(dump))
        case .samples(let job, let vertex, let rounds, let milliseconds):
            return .samples(sample(job, vertex, rounds: min(rounds, Inspector.maximumRounds), milliseconds: min(max(milliseconds, 5), 1000)))
        }
    }

    private func dump(_ sample: ThreadStacks.Sample) -> ThreadText {
        let lines = ThreadStacks.names(of: sample.addresses).map { "\tat \($0)" }
        let head = "\"\(sample.name)\" Id=\(sample.thread) \(sample.isOnCPU ? "RUNNABLE" : "WAITING")"
        return ThreadText(name: sample.name, text: ([head] + lines).joined(separator: "\n") + "\n")
    }

    /// A slot's thread that sleeps between tasks waits for every task on it; which those are, the asker knows: it is counted for subtask
    /// `UInt32.max`.
    private func sample(_ job: JobID, _ vertex: UInt32, rounds: UInt32, milliseconds: UInt32) -> [StackCount] {
        struct Stack: Hashable {
            var subtask: UInt32
            var isOnCPU: Bool
            var addresses: [UInt64]
        }
        var counts: [Stack: UInt32] = [:]
        for round in 0..<rounds {
            if round > 0 { usleep(milliseconds * 1000) }
            for sample in ThreadStacks.take(where: { $0.hasPrefix("slot-") }) where !sample.addresses.isEmpty {
                let mark = TaskMark(sample.mark)
                guard mark?.isOf(job, vertex: vertex) ?? !sample.isOnCPU else { continue }
                let stack = Stack(subtask: mark?.subtask ?? .max, isOnCPU: sample.isOnCPU, addresses: sample.addresses)
                if counts[stack] != nil || counts.count < Inspector.maximumStacks { counts[stack, default: 0] += 1 }
            }
        }
        // Different addresses of one function are one frame.
        var byName: [StackCount: UInt32] = [:]
        for (stack, count) in counts {
            let frames = Array(ThreadStacks.names(of: stack.addresses).reversed())
            byName[StackCount(subtask: stack.subtask, isOnCPU: stack.isOnCPU, frames: frames, count: 0), default: 0] += count
        }
        return byName.map { key, count in
            var entry = key
            entry.count = count
            return entry
        }.sorted { ($0.subtask, $1.count, $0.frames.joined()) < ($1.subtask, $0.count, $1.frames.joined()) }
    }
}

/// What a slot's thread marks while it steps a task: which task it is, in one number.
package struct TaskMark: Hashable, Sendable {
    package let number: UInt64

    /// `job` 31 bits | vertex 16 | subtask 16, and a bit that makes it differ from nothing.
    package init(_ task: TaskID) { number = TaskMark.front(task.job, vertex: UInt32(task.subtask.vertex)) | UInt64(task.subtask.index & 0xFFFF) }

    /// Nil for 0: the thread is at no task.
    init?(_ number: UInt64) {
        guard number != 0 else { return nil }
        self.number = number
    }

    var subtask: UInt32 { UInt32(number & 0xFFFF) }

    func isOf(_ job: JobID, vertex: UInt32) -> Bool { number & ~0xFFFF == TaskMark.front(job, vertex: vertex) }

    private static func front(_ job: JobID, vertex: UInt32) -> UInt64 {
        1 << 63 | (job.low & 0x7FFF_FFFF) << 32 | UInt64(vertex & 0xFFFF) << 16
    }
}

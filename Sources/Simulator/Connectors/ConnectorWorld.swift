import Connectors
import Dataflow
import Synchronization

/// What lies outside the cluster: the files that sinks wrote, which of them are committed, and the moods of the outside systems.
///
/// Connectors must be `Sendable`, so it locks, although one thread runs a whole cluster.
package final class ConnectorWorld: Sendable {
    private struct State {
        /// Uploads under way; an attempt that is over may still finish its own.
        var uploading: [String: SimulatedFile] = [:]
        var staged: [String: SimulatedFile] = [:]
        var committed: [String: SimulatedFile] = [:]
        var order: [String] = []
        var readerFailures = 0
        var broken: [String] = []
        var repeatedCommits = 0
        var reads: [(split: String, rows: Range<Int>)] = []
    }

    private let state = Mutex(State())
    /// Whether somebody wants to know what readers read.
    private let notesReads: Bool

    package init(notesReads: Bool = false) { self.notesReads = notesReads }

    func begin(_ file: SimulatedFile) {
        state.withLock { state in
            if state.uploading[file.id] != nil || state.staged[file.id] != nil || state.committed[file.id] != nil {
                state.broken.append("file \(file.id) was written twice")
            }
            state.uploading[file.id] = file
        }
    }

    /// The file is there. Asked for by every checkpoint that carries it.
    func finish(_ id: String) {
        state.withLock { state in
            if let file = state.uploading.removeValue(forKey: id) { state.staged[id] = file }
        }
    }

    func commit(_ committables: [Committable]) throws(StreamError) {
        state.withLock { state in
            for id in committables.map(\.id) {
                if state.committed[id] != nil {
                    state.repeatedCommits += 1
                } else if let file = state.staged.removeValue(forKey: id) {
                    state.committed[id] = file
                    state.order.append(id)
                } else {
                    state.broken.append("a commit names file \(id), which is not there")
                }
            }
        }
    }

    func discard(attemptsBelow attempt: UInt32, keeping: Set<String>) {
        state.withLock { state in
            state.staged = state.staged.filter { $0.value.task.attempt >= attempt || keeping.contains($0.key) }
        }
    }

    package func file(_ id: String) -> SimulatedFile? { state.withLock { $0.committed[id] ?? $0.staged[id] } }

    /// Committed files in the order of their checkpoints, then subtasks.
    package var committedFiles: [SimulatedFile] {
        state.withLock { Array($0.committed.values) }.sorted { ($0.checkpoint, $0.task.subtask) < ($1.checkpoint, $1.task.subtask) }
    }

    /// Files committed since the last call, in the order in which they were.
    package func takeNewlyCommitted() -> [SimulatedFile] {
        state.withLock { state in
            defer { state.order = [] }
            return state.order.compactMap { state.committed[$0] }
        }
    }

    /// Promises broken towards the outside since the last call.
    package func takeBroken() -> [String] {
        state.withLock { state in
            defer { state.broken = [] }
            return state.broken
        }
    }

    /// Readers say which rows they give.
    package func read(_ split: String, _ rows: Range<Int>) {
        if notesReads { state.withLock { $0.reads.append((split, rows)) } }
    }

    /// What was read since the last call.
    package func takeReads() -> [(split: String, rows: Range<Int>)] {
        guard notesReads else { return [] }
        return state.withLock { state in
            defer { state.reads = [] }
            return state.reads
        }
    }

    package var repeatedCommits: Int { state.withLock { $0.repeatedCommits } }

    /// The next poll of any reader fails.
    package func failNextPoll() { state.withLock { $0.readerFailures += 1 } }

    func takeReaderFailure() -> Bool {
        state.withLock { state in
            guard state.readerFailures > 0 else { return false }
            state.readerFailures -= 1
            return true
        }
    }
}

/// The simulator's own connectors, found by the table's name. One for each host: readers tell time by their host's clock.
struct SimulatedConnectors: ConnectorRegistry, @unchecked Sendable {
    let inputs: [String: SimulatedInput]
    let world: ConnectorWorld
    let clock: HostClock
    let rollEvery: UInt64
    var time = Duration.zero
    /// Of the process; nil on a JobManager.
    var buckets: Buckets?
    unowned let cluster: SimulatedCluster
    var host: SimulatedTaskManager?
    /// Of the tasks that readers are made for.
    var attempt: UInt32 = 0

    func source(_ spec: SourceSpec) throws(StreamError) -> any Source {
        guard let input = inputs[spec.table] else { throw StreamError(.user, retry: false, "there is no table \(spec.table)") }
        if let stream = input.stream {
            return try StreamSource(spec, StreamService(input: input, stream: stream, cluster: cluster, host: host), attempt: attempt)
        }
        return SimulatedSource(input: input, world: world, clock: clock, time: time)
    }

    func sink(_ spec: SinkSpec) throws(StreamError) -> any Sink {
        let sink = try plainSink(spec)
        return cluster.job.keepsOrder ? OverheardSink(real: sink, cluster: cluster) : sink
    }

    private func plainSink(_ spec: SinkSpec) throws(StreamError) -> any Sink {
        if let buckets, spec.options["connector"] != nil { return try StandardConnectors(buckets: buckets).sink(spec) }
        return SimulatedSink(spec: spec, world: world, rollEvery: rollEvery)
    }
}

import Columnar
import Dataflow
import Hosts
import TaskRuntime
import Testing
import Wire

/// Planned changes that are prepared on one thread while another ends what they belong to.
@Suite struct TaskWorkshopTests {
    private struct NoConnectors: ConnectorRegistry {
        func source(_ spec: SourceSpec) throws(StreamError) -> any Source { throw StreamError(.internal, retry: false, "none") }
        func sink(_ spec: SinkSpec) throws(StreamError) -> any Sink { throw StreamError(.internal, retry: false, "none") }
    }

    private static let job = JobID(high: 1, low: 2)

    private func workshop() -> TaskWorkshop {
        TaskWorkshop(
            worker: WorkerID("a"), slots: [], channels: ChannelTable(), network: nil, stores: Stores(), backup: nil, connectors: NoConnectors(),
            budget: .unlimited, log: Log.none)
    }

    /// A change of a job without tasks: nothing is to be made.
    private func change(_ attempt: UInt32) -> Deployment {
        Deployment(
            job: Self.job, name: "j", graph: JobGraphBytes.encode(JobGraph(name: "j", vertices: [], edges: [], maxParallelism: 8)), settings: [:],
            layout: Layout(epoch: attempt, attempt: attempt, vertices: []), previous: Layout(epoch: 1, attempt: 1, vertices: []), peers: [], subtasks: [], restore: nil, committables: [])
    }

    @Test func whatWasRemovedMeanwhileIsNotPutOnItsSlots() {
        let workshop = workshop()
        workshop.willPrepare(change(2))
        workshop.remove(Self.job, attemptsUpTo: 1)
        #expect(workshop.prepare(change(2)) == nil)
        workshop.willPrepare(change(3))
        workshop.remove(Self.job, attemptsUpTo: 3)
        #expect(workshop.prepare(change(3))?.message.contains("was removed") == true)
        // The job may begin anew where nobody knows its attempts any more.
        workshop.willPrepare(change(2))
        #expect(workshop.prepare(change(2)) == nil)
    }
}

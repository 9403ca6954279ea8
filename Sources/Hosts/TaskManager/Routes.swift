import Dataflow
import TaskRuntime
import Wire

/// Where each channel of a deployment's tasks leads: to a slot of this process, or to a peer, whose connection is opened here.
struct Routes {
    private let layout: Layout
    private let job: JobID
    private let worker: WorkerID
    private let slots: [SlotThread]
    private let links: [WorkerID: any Link]

    /// Waits for connections to peers, which are opened at once; those of a planned change go on with what is open.
    init(deployment: Deployment, worker: WorkerID, slots: [SlotThread], network: DataNetwork?) throws(StreamError) {
        layout = deployment.layout
        job = deployment.job
        self.worker = worker
        self.slots = slots
        let peers = deployment.peers.filter { $0.worker != worker }
        guard let network else {
            guard peers.isEmpty else { throw StreamError(.internal, retry: false, "this process has no data network, yet the job spans several") }
            links = [:]
            return
        }
        let openings = peers.map { peer in
            network.opening(
                to: DataNetwork.Purpose(peer: peer.worker, job: deployment.job, attempt: deployment.layout.attempt), earlier: deployment.previous != nil, host: peer.host,
                port: peer.port)
        }
        var links: [WorkerID: any Link] = [:]
        var failure: StreamError?
        for (peer, opening) in zip(peers, openings) {
            do throws(StreamError) { links[peer.worker] = try opening.wait() } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
        self.links = links
    }

    func routes(of plan: TaskPlan, graph: JobGraph) -> [ChannelID: Route] {
        var routes: [ChannelID: Route] = [:]
        for input in plan.inputs {
            for channel in input.channels {
                routes[channel] = route(to: SubtaskID(vertex: graph.edges[input.edge].source, index: Int(channel.from)))
            }
        }
        for output in plan.outputs {
            for channel in output.channels {
                routes[channel] = route(to: SubtaskID(vertex: graph.edges[output.edge].target, index: Int(channel.to)))
            }
        }
        return routes
    }

    func route(to subtask: SubtaskID) -> Route {
        let slot = layout.slot(of: subtask)
        if slot.worker == worker { return .slot(slots[slot.index], layout.task(subtask, of: job)) }
        guard let link = links[slot.worker] else { preconditionFailure("the deployment names no address of \(slot.worker)") }
        return .peer(link)
    }
}

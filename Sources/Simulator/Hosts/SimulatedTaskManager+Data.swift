import Columnar
import Dataflow
import TaskRuntime
import Wire

/// Where a channel leads, seen from one of its ends.
struct Route {
    /// Of the batches that arrive here; empty at the sender.
    var types: [DataType] = []
    /// The task at this end.
    var task: TaskID
    var otherTask: TaskID
    var otherWorker: WorkerID
}

extension SimulatedTaskManager {
    // MARK: Connections

    /// Opens a connection to every TaskManager that has none yet, one after the other. What this process says goes there; what it hears
    /// comes on the ones that others opened.
    func open(_ others: [WorkerID], tries: Int = 0, then: @escaping (StreamError?) -> Void) {
        guard let other = others.first(where: { peers[$0] == nil }) else { return then(nil) }
        let (delay, refusal) = cluster.dataConnectOutcome(to: other)
        after(delay) { [self] in
            if let refusal {
                if tries == 3 { return then(StreamError(.connection, retry: true, "\(other) cannot be reached: \(refusal)", unreachable: other)) }
                after(.milliseconds(300)) { [self] in open(others, tries: tries + 1, then: then) }
            } else {
                if peers[other] == nil { peers[other] = cluster.connect(self, to: other) }
                open(others, then: then)
            }
        }
    }

    /// A connection to or from a peer is over. `link`: one that this process had opened.
    func peerEnded(_ peer: WorkerID, _ link: Link?, reason: String) {
        if let link {
            guard peers[peer] === link else { return }
            peers[peer] = nil
        }
        tell(.peerLost(peer, reason: reason))
    }

    // MARK: Channels

    func route(_ plan: TaskPlan, _ layout: Layout, _ graph: JobGraph) {
        let task = plan.task
        func other(_ vertex: Int, _ index: UInt16) -> (TaskID, WorkerID) {
            let subtask = SubtaskID(vertex: vertex, index: Int(index))
            return (layout.task(subtask, of: task.job), layout.slot(of: subtask).worker)
        }
        for input in plan.inputs {
            for channel in input.channels {
                let (sender, worker) = other(graph.edges[input.edge].source, channel.from)
                incoming[channel] = Route(types: input.types, task: task, otherTask: sender, otherWorker: worker)
            }
        }
        for output in plan.outputs {
            for channel in output.channels {
                let (receiver, worker) = other(graph.edges[output.edge].target, channel.to)
                outgoing[channel] = Route(task: task, otherTask: receiver, otherWorker: worker)
            }
        }
    }

    /// What a task wants.
    func carryOut(_ effect: TaskEffect, of task: TaskID) {
        switch effect {
        case .send(let channel, let sequence, let element):
            guard let route = outgoing[channel] else { return }
            cluster.see(.elementSent(channel, sequence: sequence, element))
            cluster.trace.note(time, "\(id) \(task.subtask)#\(task.attempt)", "→ \(route.otherTask.subtask) \(element.summary)")
            transfer(.element(channel, sequence: sequence, element), by: route)
        case .credit(let channel, let batches):
            guard let route = incoming[channel] else { return }
            cluster.see(.creditSent(channel, batches: batches))
            transfer(.credit(channel, batches: batches), by: route)
        case .handOver(let operators, let departure, let layout, let isAhead): handOver(operators, departure, layout, isAhead: isAhead, from: task)
        case .snapshot, .needsSplits, .splitFinished, .ended, .failed, .copied, .settled:
            tell(.task(task, effect))
        }
    }

    /// Tasks of one process skip bytes and sockets.
    private func transfer(_ message: DataMessage, by route: Route) {
        if route.otherWorker == id { return deliver(message) }
        peers[route.otherWorker]?.send(message.encode(), from: .opener)
    }

    func arrived(_ bytes: [UInt8]) {
        do {
            let message = try bytes.withUnsafeBytes { raw in try DataMessage.decode(raw) { incoming[$0]?.types } }
            if let message { deliver(message) }
        } catch { cluster.broken("Wire", "a message between TaskManagers is malformed: \(error)") }
    }

    /// One of a channel that is not known here, or not any more, is dropped.
    func deliver(_ message: DataMessage) {
        switch message {
        case .state(let parcel): tasks[parcel.to]?.tell(.state(parcel))
        case .element(let channel, let sequence, let element):
            guard let route = incoming[channel], let task = tasks[route.task] else { return }
            cluster.see(.elementArrived(channel, element))
            task.tell(.element(channel, sequence: sequence, element))
        case .credit(let channel, let batches):
            guard let route = outgoing[channel], let task = tasks[route.task] else { return }
            cluster.see(.creditArrived(channel, batches: batches))
            task.tell(.credit(channel, batches: batches))
        }
    }
}

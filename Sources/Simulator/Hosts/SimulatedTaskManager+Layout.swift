import Dataflow
import TaskRuntime
import Wire

// Planned changes of the layout.
extension SimulatedTaskManager {
    func prepare(_ deployment: Deployment) {
        let (job, attempt) = (deployment.job, deployment.layout.attempt)
        guard let graph = cluster.graph(of: deployment.graph), let previous = deployment.previous else {
            return cluster.broken("Wire", "a change is malformed")
        }
        graphs[job] = graph
        for task in deployment.layout.tasks(of: job) { places[task] = deployment.layout.slot(of: task.subtask).worker }
        let change = LayoutChange(job: job, graph: graph, from: previous, to: deployment.layout)
        deployments.append(DeployedAttempt(job: job, attempt: attempt, tasks: []))
        open(deployment.peers.map(\.worker).filter { $0 != id }) { [self] error in
            tell(.prepared(job: job, attempt: attempt, error ?? begin(deployment, change)))
        }
    }

    private func begin(_ deployment: Deployment, _ change: LayoutChange) -> StreamError? {
        let (job, attempt) = (deployment.job, deployment.layout.attempt)
        guard let place = deployments.firstIndex(where: { $0.job == job && $0.attempt == attempt }) else {
            cluster.broken("Worker", "attempt \(attempt) was removed while connections for it were opened")
            return nil
        }
        do {
            for id in change.old.tasks(of: job) {
                guard let task = tasks[id] else { continue }
                if change.new.has(id) {
                    route(TaskPlan(job: job, graph: change.graph, layout: change.new, subtask: id.subtask), change.new, change.graph)
                }
                task.tell(.prepare(TaskChange(change, for: id)))
            }
            for subtask in deployment.subtasks {
                let plan = TaskPlan(job: job, graph: change.graph, layout: change.new, subtask: subtask)
                let waker = SimulatedTask.Waker()
                let task = try TaskBuilder.make(
                    plan: plan, connectors: connectors(of: attempt), options: cluster.taskOptions, wake: { waker.wake() })
                task.begin(with: TaskChange(change, for: plan.task))
                route(plan, change.new, change.graph)
                tasks[plan.task] = SimulatedTask(id: plan.task, task: task, host: self)
                waker.task = tasks[plan.task]
                deployments[place].tasks.append(plan.task)
                cluster.see(.taskStarted(plan.task, on: id))
                tasks[plan.task]?.tell(.start)
            }
            return nil
        } catch { return error }
    }

    func retire(_ job: JobID, _ attempt: UInt32, _ retired: [TaskID]) {
        after(cluster.chance.duration(.zero, .milliseconds(20))) { [self] in
            for task in retired where tasks[task] != nil {
                tasks.removeValue(forKey: task)?.remove()
                cluster.see(.taskGone(task, on: id))
                incoming = incoming.filter { $0.value.task != task }
                outgoing = outgoing.filter { $0.value.task != task }
            }
            tell(.retired(job: job, attempt: attempt))
        }
    }

    func handOver(_ operators: [OperatorSnapshot], _ departure: LayoutChange.Departure, _ layout: LayoutEpoch, isAhead: Bool, from task: TaskID) {
        after(cluster.chance.duration(.milliseconds(1), .milliseconds(50))) { [self] in
            guard tasks[task] != nil, let worker = places[departure.to] else { return }
            for parcel in StateParcel.parcels(of: operators, groups: departure.groups, from: task, to: departure.to, layout: layout, isAhead: isAhead, most: cluster.job.pieceBytes) {
                cluster.see(.stateSent(parcel))
                if worker == id { deliver(.state(parcel)) } else { peers[worker]?.send(DataMessage.state(parcel).encode(), from: .opener) }
            }
        }
    }
}

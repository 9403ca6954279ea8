import Dataflow

/// How many subtasks users ask for. HEAD keeps it: the next JobManager asks for the same.
extension JobMaster {
    mutating func require(_ wanted: [Int: ClosedRange<Int>], _ ticket: Ticket, at now: Now, in cluster: inout Cluster) {
        func refuse(_ why: String, retry: Bool = false) { cluster.effects.append(.reply(ticket, .refused(StreamError(.user, retry: retry, why)))) }
        guard !phase.isOver else { return refuse("job \(job) has ended") }
        guard started != nil else { return refuse("job \(job) is being taken over by this JobManager; ask again", retry: true) }
        guard cluster.options.changesLayouts else { return refuse("this JobManager does not change the parallelism of a running job") }
        guard options.checkpointDirectory != nil else {
            return refuse("job \(job) has no execution.checkpointing.dir: a running job changes at a checkpoint, which must lie where all TaskManagers reach it")
        }
        var next = bounds
        for (vertex, range) in wanted {
            guard next.indices.contains(vertex) else { return refuse("job \(job) has no vertex \(vertex)") }
            guard range.lowerBound >= 1 else { return refuse("a vertex has at least one subtask") }
            next[vertex] = min(range.lowerBound, graph.maxParallelism)...min(range.upperBound, graph.maxParallelism)
        }
        if let why = problem(with: next) { return refuse(why) }
        let words = wanted.keys.sorted().map { "\(graph.vertices[$0].name) \(next[$0].lowerBound) to \(next[$0].upperBound)" }
        cluster.log(.info, "JobMaster", "Job \(graph.name) (\(job)): a client asks for another parallelism: \(words.joined(separator: ", ")).")
        bounds = next
        isAskedToChange = true
        tellWhetherItFits(in: &cluster)
        let asked = Dictionary(uniqueKeysWithValues: wanted.keys.map { (graph.vertices[$0].id, next[$0]) })
        let written = head.change(draw: &cluster.draw) { $0.requirements = ($0.requirements ?? [:]).merging(asked) { $1 } }
        requiring.append((written.change, ticket))
        apply(written.effects, at: now, in: &cluster)
    }

    /// What needs more slots than there are is kept, and done when they come.
    private mutating func tellWhetherItFits(in cluster: inout Cluster) {
        guard case .running(let layout, _) = phase else { return }
        let slots = min(mostSlots, layout.usedSlots.count + freeSlots(in: cluster))
        chronicle.waitsFor = nil
        guard parallelism(on: slots) == nil else { return }
        let least = bounds.map(\.lowerBound).max() ?? 1
        let words = "waits for task slots: it is asked for a parallelism of at least \(least), there are \(slots). Until then it goes on as it is"
        chronicle.waitsFor = words
        cluster.log(.warning, "JobMaster", "Job \(graph.name) (\(job)) \(words).")
    }

    /// What was asked of the JobManager before. Of a script that has changed meanwhile only what still fits.
    mutating func adoptRequirements(of found: Head, in cluster: inout Cluster) {
        guard let asked = found.requirements else { return }
        var next = bounds
        for vertex in graph.vertices.indices {
            guard let range = asked[graph.vertices[vertex].id], range.lowerBound >= 1 else { continue }
            next[vertex] = min(range.lowerBound, graph.maxParallelism)...min(range.upperBound, graph.maxParallelism)
        }
        if let why = problem(with: next) {
            cluster.log(.warning, "JobMaster", "Job \(graph.name) (\(job)): the parallelism that was asked for before does not fit any more: \(why)")
        } else {
            bounds = next
        }
    }

    mutating func answerRequirements(through change: Int, in cluster: inout Cluster) {
        for (mine, ticket) in requiring where mine <= change { cluster.effects.append(.reply(ticket, .accepted)) }
        requiring.removeAll { $0.change <= change }
    }

    private func problem(with next: [ClosedRange<Int>]) -> String? {
        for edge in graph.edges where edge.partitioning == .forward && next[edge.source] != next[edge.target] {
            return "\(graph.vertices[edge.source].name) and \(graph.vertices[edge.target].name) must have one parallelism"
        }
        for vertex in graph.vertices.indices where next[vertex] != bounds[vertex] && graph.inputs(of: vertex).contains(where: { graph.edges[$0].partitioning == .single }) {
            return "\(graph.vertices[vertex].name) has one subtask"
        }
        return nil
    }
}

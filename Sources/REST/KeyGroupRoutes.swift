import Hummingbird
import JobControl

extension RESTService {
    func addKeyGroupRoutes(_ router: some RouterMethods<BasicRequestContext>) {
        router.get("/jobs/:job/vertices/:vertex/key-groups") { _, context in
            let job = try await job(context)
            let vertex = job.vertices[try vertex(context, of: job)]
            guard !vertex.owners.isEmpty else { throw Refusal(.notFound, "Vertex \(vertex.id) keeps no state by key") }
            return Response.json(JSON(keyGroupsOf: vertex) { history.figures(job.id, $0.id) })
        }
    }
}

extension JSON {
    /// How evenly keys fall on the subtasks. Rows and state are counted by subtask, not by key group.
    fileprivate init(keyGroupsOf vertex: JobView.Vertex, figures: (JobView.Subtask) -> [(name: String, value: Double)]) {
        var groups = [Int](repeating: 0, count: vertex.subtasks.count)
        for owner in vertex.owners where groups.indices.contains(Int(owner)) { groups[Int(owner)] += 1 }
        func figure(_ name: String, of subtask: JobView.Subtask) -> JSON { figures(subtask).first { $0.name == name }.map { .number($0.value.rounded()) } ?? nil }
        self = [
            "max-parallelism": .integer(Int64(vertex.maxParallelism)),
            "subtasks": .array(zip(vertex.subtasks, groups).map { subtask, groups in
                [
                    "subtask": .integer(Int64(subtask.id.index)), "key-groups": .integer(Int64(groups)), "records": .integer(subtask.metrics?.rowsIn ?? 0),
                    "records-per-second": figure("numRecordsInPerSecond", of: subtask), "read-bytes": .integer(subtask.metrics?.bytesIn ?? 0),
                    "state-bytes": .integer(subtask.metrics?.stateBytes ?? 0),
                ]
            }),
            "owners": .array(vertex.owners.map { .integer(Int64($0)) }),
        ]
    }
}

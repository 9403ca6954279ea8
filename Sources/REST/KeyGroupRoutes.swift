import Dataflow
import Hosts
import Hummingbird
import JobControl
import Wire

extension RESTService {
    func addKeyGroupRoutes(_ router: some RouterMethods<BasicRequestContext>) {
        router.get("/jobs/:job/vertices/:vertex/key-groups") { _, context in
            let job = try await job(context)
            let index = try vertex(context, of: job)
            let vertex = job.vertices[index]
            guard !vertex.owners.isEmpty else { throw Refusal(.notFound, "Vertex \(vertex.id) keeps no state by key") }
            let rates = vertex.subtasks.map { subtask in
                history.reading(job.id, subtask).flatMap { TaskFigures.value(of: "numRecordsInPerSecond", $0) } ?? 0
            }
            let table = KeyGroupTable(
                owners: vertex.owners, vertex.subtasks.map { ($0.id, $0.metrics) }, rates: rates, before: history.keyGroups(job.id, vertex: index))
            return Response.json(table.json(vertex))
        }
    }
}

/// How evenly keys fall on key groups, and these on subtasks.
package struct KeyGroupTable: Sendable {
    private let rates: [Double]
    /// By key group; nil where its owner has told nothing (yet).
    package private(set) var records: [Int64?]
    package private(set) var recordsPerSecond: [Double?]
    package private(set) var stateBytes: [Int64?]

    /// `rates`: rows a second of each subtask. `before`: what each subtask's key groups had got a while ago; its rate is shared out by what they got since.
    package init(owners: [UInt16], _ subtasks: [(id: SubtaskID, metrics: TaskMetrics?)], rates: [Double], before: [SubtaskID: History.KeyGroups]) {
        self.rates = rates
        records = Array(repeating: nil, count: owners.count)
        recordsPerSecond = records.map { _ in nil }
        stateBytes = records
        for (subtask, rate) in zip(subtasks, rates) {
            guard let metrics = subtask.metrics else { continue }
            let own = metrics.keyGroups.filter { owners.indices.contains($0.group) && Int(owners[$0.group]) == subtask.id.index }
            let earlier = before[subtask.id].flatMap { $0.task == metrics.task ? $0.loads : nil } ?? []
            let had = Dictionary(earlier.map { ($0.group, $0.rows) }) { first, _ in first }
            let got = own.map { max(0, $0.rows - had[$0.group, default: 0]) }
            let all = Double(got.reduce(0, +))
            for (load, rows) in zip(own, got) {
                records[load.group] = load.rows
                if load.stateBytes >= 0 { stateBytes[load.group] = load.stateBytes }
                recordsPerSecond[load.group] = all > 0 ? rate * Double(rows) / all : 0
            }
        }
    }

    func json(_ vertex: JobView.Vertex) -> JSON {
        var groups = [Int: [Int]]()
        for (group, owner) in vertex.owners.enumerated() { groups[Int(owner), default: []].append(group) }
        return [
            "max-parallelism": .integer(Int64(vertex.maxParallelism)),
            "subtasks": .array(zip(vertex.subtasks, rates).map { subtask, rate in
                let own = groups[subtask.id.index] ?? []
                let hottest = own.max { records[$0] ?? 0 < records[$1] ?? 0 }.flatMap { group in records[group].map { (group, $0) } }
                let all = own.reduce(0) { $0 + (records[$1] ?? 0) }
                return [
                    "subtask": .integer(Int64(subtask.id.index)), "key-groups": .integer(Int64(own.count)), "records": .integer(subtask.metrics?.rowsIn ?? 0),
                    "records-per-second": .number(rate.rounded()), "read-bytes": .integer(subtask.metrics?.bytesIn ?? 0),
                    "state-bytes": .integer(subtask.metrics?.stateBytes ?? 0), "hottest-key-group": hottest.map { .integer(Int64($0.0)) } ?? nil,
                    "hottest-share": hottest.flatMap { all > 0 ? .number((Double($0.1) / Double(all) * 1000).rounded() / 1000) : nil } ?? nil,
                ]
            }),
            "owners": .array(vertex.owners.map { .integer(Int64($0)) }), "records": .array(records.map { $0.map { .integer($0) } ?? nil }),
            "records-per-second": .array(recordsPerSecond.map { $0.map { .number(($0 * 10).rounded() / 10) } ?? nil }),
            "state-bytes": .array(stateBytes.map { $0.map { .integer($0) } ?? nil }),
        ]
    }
}

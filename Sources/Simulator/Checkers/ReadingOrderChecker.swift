import Dataflow
import Wire

/// See `promise`. What a change moves to another task is there in order, too: rows behind its barrier stand in later files. Tasks that planned changes begin read on with those that were there; each deployment begins anew, and older attempts may go on unheard.
final class ReadingOrderChecker: Checker {
    static let promise = """
        Records of one key are read in the order in which they were put, whichever shards they are in and whoever reads these, from each deployment \
        to the next; and each task of the sink writes its rows of a key in that order.
        """

    private let inputs: [String: SimulatedInput]
    /// Attempts of deployments.
    private var deployments: [UInt32] = []
    /// By deployment, table and key: the number of the record that was read last.
    private var last: [UInt32: [String: Int]] = [:]
    /// By task of the sink and key.
    private var written: [TaskID: [Int: Int]] = [:]

    init(job: SimulatedJob) {
        inputs = Dictionary(uniqueKeysWithValues: job.inputs.filter { $0.stream != nil }.map { ($0.name, $0) })
    }

    func see(_ seen: Observation, at time: Duration) -> String? {
        switch seen {
        case .leaderSent(.deploy(let deployment), _, _):
            if !deployments.contains(deployment.layout.attempt) { deployments.append(deployment.layout.attempt) }
            return nil
        case .recordsRead(let table, let ids, let attempt):
            guard let stream = inputs[table]?.stream, let deployment = deployments.last(where: { $0 <= attempt }) else { return nil }
            for id in ids {
                let shard = Int(id >> 32), record = stream.shards[shard].records[Int(id & 0xFFFF_FFFF)]
                let name = "\(table) \(record.key)"
                if let before = last[deployment]?[name], before >= record.put {
                    return "record \(record.put) of key \(record.key), in \(stream.shards[shard].id), is read after record \(before)"
                }
                last[deployment, default: [:]][name] = record.put
            }
            return nil
        case .rowsWritten(let ids, let task):
            guard let stream = inputs.values.first?.stream else { return nil }
            for id in ids {
                let shard = Int(id >> 32), record = stream.shards[shard].records[Int(id & 0xFFFF_FFFF)]
                if let before = written[task]?[record.key], before >= record.put {
                    return "record \(record.put) of key \(record.key), in \(stream.shards[shard].id), is written by \(task) after record \(before)"
                }
                written[task, default: [:]][record.key] = record.put
            }
            return nil
        default: return nil
        }
    }
}

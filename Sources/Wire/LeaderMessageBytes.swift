import Columnar
import Dataflow

extension LeaderMessage {
    package func encode(epoch: LeaderEpoch) -> [UInt8] {
        var writer = ByteWriter()
        writer.put(kind)
        writer.put(epoch)
        switch self {
        case .registered(let beat, let timeout):
            writer.put(beat)
            writer.put(timeout)
        case .refused(let reason), .turnedAway(let reason): writer.put(reason)
        case .heartbeat(let sequence): writer.put(sequence)
        case .deploy(let deployment), .change(let deployment): deployment.encode(into: &writer)
        case .start(let job, let attempt), .cancel(let job, let attempt), .conclude(let job, let attempt), .copyAhead(let job, let attempt),
            .withdraw(let job, let attempt):
            writer.put(job)
            writer.put(attempt)
        case .trigger(let job, let attempt, let barrier, let folder, let store):
            writer.put(job)
            writer.put(attempt)
            writer.put(barrier)
            writer.put(folder)
            writer.putOptional(store) { $0.put($1) }
        case .completed(let job, let checkpoint), .aborted(let job, let checkpoint):
            writer.put(job)
            writer.put(checkpoint)
        case .splits(let task, let splits, let noMore, let released):
            writer.put(task)
            writer.putList(splits) { $0.put($1) }
            writer.put(noMore)
            writer.putList(released) { $0.put($1) }
        case .commit(let job, let checkpoint, let pending):
            writer.put(job)
            writer.put(checkpoint)
            writer.putList(pending) { $0.put($1) }
        case .release(let job): writer.put(job)
        case .leave(let leave): leave.encode(into: &writer)
        }
        return writer.bytes
    }

    package static func decode(_ bytes: [UInt8]) throws(MalformedBytes) -> (epoch: LeaderEpoch, message: LeaderMessage) {
        try ByteReader.reading(bytes) { reader throws(MalformedBytes) in
            let kind = try reader.number(UInt8.self)
            let epoch = try reader.number(LeaderEpoch.self)
            let message = try body(kind, &reader)
            try reader.end()
            return (epoch, message)
        }
    }

    private var kind: UInt8 {
        switch self {
        case .registered: 1
        case .refused: 2
        case .heartbeat: 3
        case .deploy: 4
        case .start: 5
        case .cancel: 6
        case .trigger: 7
        case .completed: 8
        case .aborted: 9
        case .splits: 10
        case .commit: 11
        case .release: 12
        case .change: 13
        case .conclude: 14
        case .leave: 15
        case .copyAhead: 16
        case .withdraw: 17
        case .turnedAway: 18
        }
    }

    private static func body(_ kind: UInt8, _ reader: inout ByteReader) throws(MalformedBytes) -> LeaderMessage {
        switch kind {
        case 1: .registered(heartbeatMilliseconds: try reader.number(), timeoutMilliseconds: try reader.number())
        case 2: .refused(reason: try reader.string())
        case 3: .heartbeat(sequence: try reader.number())
        case 4: .deploy(try Deployment(from: &reader))
        case 5: .start(job: try reader.job(), attempt: try reader.number())
        case 6: .cancel(job: try reader.job(), attempt: try reader.number())
        case 7:
            .trigger(
                job: try reader.job(), attempt: try reader.number(), try reader.barrier(), folder: try reader.string(),
                store: try reader.optional { reader throws(MalformedBytes) in try reader.string() })
        case 8: .completed(job: try reader.job(), checkpoint: try reader.number())
        case 9: .aborted(job: try reader.job(), checkpoint: try reader.number())
        case 10:
            .splits(try reader.task(), try reader.list { reader throws(MalformedBytes) in try reader.splitState() }, noMore: try reader.bool(),
                released: try reader.list { reader throws(MalformedBytes) in try reader.string() })
        case 11:
            .commit(
                job: try reader.job(), checkpoint: try reader.number(),
                try reader.list { reader throws(MalformedBytes) in try reader.pendingCommit() })
        case 12: .release(job: try reader.job())
        case 13: .change(try Deployment(from: &reader))
        case 14: .conclude(job: try reader.job(), attempt: try reader.number())
        case 15: .leave(try Leave(from: &reader))
        case 16: .copyAhead(job: try reader.job(), attempt: try reader.number())
        case 18: .turnedAway(reason: try reader.string())
        case 17: .withdraw(job: try reader.job(), attempt: try reader.number())
        default: throw MalformedBytes("\(kind) is no message of a JobManager")
        }
    }
}

extension Deployment {
    fileprivate func encode(into writer: inout ByteWriter) {
        writer.put(job)
        writer.put(name)
        writer.put(graph)
        writer.putList(settings.sorted { $0.key < $1.key }) {
            $0.put($1.key)
            $0.put($1.value)
        }
        writer.put(layout)
        writer.putOptional(previous) { $0.put($1) }
        writer.putList(peers) {
            $0.put($1.worker.description)
            $0.put($1.host)
            $0.put($1.port)
        }
        writer.putList(subtasks) { $0.put($1) }
        writer.putOptional(restore) { writer, restore in
            writer.put(restore.checkpoint)
            writer.putOptional(restore.store) { $0.put($1) }
            writer.putList(restore.objects) { $0.put($1) }
            writer.putList(restore.vertices) { $0.put(Int32($1 ?? -1)) }
            writer.putList(restore.parallelism) { $0.put(UInt32($1)) }
        }
        writer.putList(committables) { $0.put($1) }
    }

    fileprivate init(from reader: inout ByteReader) throws(MalformedBytes) {
        self.init(
            job: try reader.job(), name: try reader.string(), graph: try reader.run(), settings: try Deployment.settings(&reader),
            layout: try reader.layout(), previous: try reader.optional { reader throws(MalformedBytes) in try reader.layout() },
            peers: try reader.list { reader throws(MalformedBytes) in
                Peer(worker: WorkerID(try reader.string()), host: try reader.string(), port: try reader.number())
            },
            subtasks: try reader.list { reader throws(MalformedBytes) in try reader.subtask() },
            restore: try reader.optional { reader throws(MalformedBytes) in
                Restore(
                    checkpoint: try reader.number(),
                    store: try reader.optional { reader throws(MalformedBytes) in try reader.string() },
                    objects: try reader.list { reader throws(MalformedBytes) in try reader.stateObject() },
                    vertices: try reader.list { reader throws(MalformedBytes) in
                        let position = try reader.number(Int32.self)
                        return position < 0 ? nil : Int(position)
                    },
                    parallelism: try reader.list { reader throws(MalformedBytes) in Int(try reader.number(UInt32.self)) })
            },
            committables: try reader.list { reader throws(MalformedBytes) in try reader.pendingCommit() })
    }

    private static func settings(_ reader: inout ByteReader) throws(MalformedBytes) -> [String: String] {
        let pairs = try reader.list { reader throws(MalformedBytes) in (try reader.string(), try reader.string()) }
        return Dictionary(pairs, uniquingKeysWith: { _, last in last })
    }
}

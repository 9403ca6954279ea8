import Columnar
import Dataflow

extension WorkerMessage {
    package func encode() -> [UInt8] {
        var writer = ByteWriter()
        writer.put(kind)
        switch self {
        case .register(let registration): registration.encode(into: &writer)
        case .heartbeat(let sequence): writer.put(sequence)
        case .deployed(let job, let attempt), .stopped(let job, let attempt), .prepared(let job, let attempt), .settled(let job, let attempt),
            .retired(let job, let attempt), .copied(let job, let attempt), .withdrawn(let job, let attempt):
            writer.put(job)
            writer.put(attempt)
        case .ended(let task), .needsSplits(let task): writer.put(task)
        case .splitFinished(let task, let split):
            writer.put(task)
            writer.put(split)
        case .failed(let task, let error):
            writer.put(task)
            writer.put(error)
        case .cannotChange(let job, let attempt, let error):
            writer.put(job)
            writer.put(attempt)
            writer.put(error)
        case .acknowledged(let acknowledgement): acknowledgement.encode(into: &writer)
        case .declined(let job, let attempt, let checkpoint, let reason):
            writer.put(job)
            writer.put(attempt)
            writer.put(checkpoint)
            writer.put(reason)
        case .committed(let job, let checkpoint, let ids):
            writer.put(job)
            writer.put(checkpoint)
            writer.putList(ids) { $0.put($1) }
        case .commitFailed(let job, let checkpoint, let error):
            writer.put(job)
            writer.put(checkpoint)
            writer.put(error)
        case .metrics(let all): writer.putList(all) { $1.encode(into: &$0) }
        case .leaving(let leave): leave.encode(into: &writer)
        case .moved(let job, let layout, let bytes, let isAhead):
            writer.put(job)
            writer.put(layout)
            writer.put(bytes)
            writer.put(isAhead)
        case .handedBack(let task, let splits, let finished):
            writer.put(task)
            writer.putList(splits) { $0.put($1) }
            writer.putList(finished) { $0.put($1) }
        }
        return writer.bytes
    }

    package static func decode(_ bytes: [UInt8]) throws(MalformedBytes) -> WorkerMessage {
        try ByteReader.reading(bytes) { reader throws(MalformedBytes) in
            let message = try body(try reader.number(), &reader)
            try reader.end()
            return message
        }
    }

    private var kind: UInt8 {
        switch self {
        case .register: 1
        case .heartbeat: 2
        case .deployed: 3
        case .ended: 4
        case .failed: 5
        case .stopped: 6
        case .needsSplits: 7
        case .acknowledged: 8
        case .declined: 9
        case .committed: 10
        case .commitFailed: 11
        case .metrics: 12
        case .leaving: 13
        case .splitFinished: 14
        case .prepared: 15
        case .handedBack: 16
        case .settled: 17
        case .retired: 18
        case .copied: 19
        case .cannotChange: 20
        case .withdrawn: 21
        case .moved: 22
        }
    }

    private static func body(_ kind: UInt8, _ reader: inout ByteReader) throws(MalformedBytes) -> WorkerMessage {
        switch kind {
        case 1: .register(try Registration(from: &reader))
        case 2: .heartbeat(sequence: try reader.number())
        case 3: .deployed(job: try reader.job(), attempt: try reader.number())
        case 4: .ended(try reader.task())
        case 5: .failed(try reader.task(), try reader.streamError())
        case 6: .stopped(job: try reader.job(), attempt: try reader.number())
        case 7: .needsSplits(try reader.task())
        case 8: .acknowledged(try Acknowledgement(from: &reader))
        case 9: .declined(job: try reader.job(), attempt: try reader.number(), checkpoint: try reader.number(), reason: try reader.string())
        case 10:
            .committed(
                job: try reader.job(), checkpoint: try reader.number(), ids: try reader.list { reader throws(MalformedBytes) in try reader.string() })
        case 11: .commitFailed(job: try reader.job(), checkpoint: try reader.number(), try reader.streamError())
        case 12: .metrics(try reader.list { reader throws(MalformedBytes) in try TaskMetrics(from: &reader) })
        case 13: .leaving(try Leave(from: &reader))
        case 14: .splitFinished(try reader.task(), split: try reader.string())
        case 15: .prepared(job: try reader.job(), attempt: try reader.number())
        case 16:
            .handedBack(
                try reader.task(), try reader.list { reader throws(MalformedBytes) in try reader.splitState() },
                finished: try reader.list { reader throws(MalformedBytes) in try reader.string() })
        case 17: .settled(job: try reader.job(), attempt: try reader.number())
        case 18: .retired(job: try reader.job(), attempt: try reader.number())
        case 19: .copied(job: try reader.job(), attempt: try reader.number())
        case 20: .cannotChange(job: try reader.job(), attempt: try reader.number(), try reader.streamError())
        case 21: .withdrawn(job: try reader.job(), attempt: try reader.number())
        case 22: .moved(job: try reader.job(), layout: try reader.number(), bytes: try reader.number(), isAhead: try reader.bool())
        default: throw MalformedBytes("\(kind) is no message of a TaskManager")
        }
    }
}

extension Registration {
    fileprivate func encode(into writer: inout ByteWriter) {
        writer.put(worker.description)
        writer.put(host)
        writer.put(dataPort)
        writer.put(UInt32(slots))
        writer.put(memoryBytes)
        writer.put(UInt32(processors))
        writer.put(version)
        writer.putList(running) { $0.put($1) }
        writer.put(incarnation)
        writer.put(newestEpoch)
    }

    fileprivate init(from reader: inout ByteReader) throws(MalformedBytes) {
        self.init(
            worker: WorkerID(try reader.string()), host: try reader.string(), dataPort: try reader.number(),
            slots: Int(try reader.number(UInt32.self)), memoryBytes: try reader.number(), processors: Int(try reader.number(UInt32.self)),
            version: try reader.string(), running: try reader.list { reader throws(MalformedBytes) in try reader.task() },
            incarnation: try reader.number(), newestEpoch: try reader.number())
    }
}

extension Acknowledgement {
    fileprivate func encode(into writer: inout ByteWriter) {
        writer.put(job)
        writer.put(attempt)
        writer.put(checkpoint)
        writer.putOptional(object) { $0.put($1) }
        writer.putList(tasks) { writer, task in
            writer.put(task.share.subtask)
            writer.putList(task.share.splits) { $0.put($1) }
            writer.putList(task.share.finishedSplits) { $0.put($1) }
            writer.putList(task.share.committables) { $0.put($1) }
            writer.put(task.stateBytes)
            writer.put(task.alignmentMilliseconds)
            writer.put(task.synchronousNanoseconds)
            writer.put(task.asynchronousMilliseconds)
        }
        writer.put(uploadMilliseconds)
    }

    fileprivate init(from reader: inout ByteReader) throws(MalformedBytes) {
        self.init(
            job: try reader.job(), attempt: try reader.number(), checkpoint: try reader.number(),
            object: try reader.optional { reader throws(MalformedBytes) in try reader.stateObject() },
            tasks: try reader.list { reader throws(MalformedBytes) in
                let share = Manifest.Subtask(
                    subtask: try reader.subtask(), splits: try reader.list { reader throws(MalformedBytes) in try reader.splitState() },
                    finishedSplits: try reader.list { reader throws(MalformedBytes) in try reader.string() },
                    committables: try reader.list { reader throws(MalformedBytes) in try reader.committable() })
                return Task(
                    share: share, stateBytes: try reader.number(), alignmentMilliseconds: try reader.number(),
                    synchronousNanoseconds: try reader.number(), asynchronousMilliseconds: try reader.number())
            },
            uploadMilliseconds: try reader.number())
    }
}

extension TaskMetrics {
    fileprivate func encode(into writer: inout ByteWriter) {
        writer.put(task)
        for number in [
            rowsIn, rowsOut, bytesIn, bytesOut, batchesIn, batchesOut, lateRows, skippedRows, busyMilliseconds, idleMilliseconds,
            backpressuredMilliseconds, stateBytes, watermark, pendingRows, lagMilliseconds,
        ] { writer.put(number) }
        writer.putList(gauges.sorted { $0.key < $1.key }) { writer, gauge in
            writer.put(gauge.key)
            writer.put(gauge.value)
        }
        writer.putList(operators) { writer, metrics in
            for number in [metrics.rowsIn, metrics.rowsOut, metrics.lateRows, metrics.stateBytes] { writer.put(number) }
        }
        writer.putList(keyGroups) { writer, load in
            writer.put(UInt32(load.group))
            writer.put(load.rows)
            writer.put(load.stateBytes)
        }
    }

    fileprivate init(from reader: inout ByteReader) throws(MalformedBytes) {
        self.init(task: try reader.task())
        rowsIn = try reader.number()
        rowsOut = try reader.number()
        bytesIn = try reader.number()
        bytesOut = try reader.number()
        batchesIn = try reader.number()
        batchesOut = try reader.number()
        lateRows = try reader.number()
        skippedRows = try reader.number()
        busyMilliseconds = try reader.number()
        idleMilliseconds = try reader.number()
        backpressuredMilliseconds = try reader.number()
        stateBytes = try reader.number()
        watermark = try reader.number()
        pendingRows = try reader.number()
        lagMilliseconds = try reader.number()
        let list = try reader.list { reader throws(MalformedBytes) in (try reader.string(), try reader.number(Int64.self)) }
        gauges = Dictionary(list) { first, _ in first }
        operators = try reader.list { reader throws(MalformedBytes) in
            OperatorMetrics(rowsIn: try reader.number(), rowsOut: try reader.number(), lateRows: try reader.number(), stateBytes: try reader.number())
        }
        keyGroups = try reader.list { reader throws(MalformedBytes) in
            KeyGroupLoad(group: Int(try reader.number(UInt32.self)), rows: try reader.number(), stateBytes: try reader.number())
        }
    }
}

import Columnar
import Dataflow

// Bytes of the vocabulary that several messages carry. Reader and writer of a type stand together.

extension ByteWriter {
    package mutating func put(_ job: JobID) {
        put(job.high)
        put(job.low)
    }

    package mutating func put(_ subtask: SubtaskID) {
        put(UInt16(subtask.vertex))
        put(UInt16(subtask.index))
    }

    package mutating func put(_ task: TaskID) {
        put(task.job)
        put(task.subtask)
        put(task.attempt)
    }

    package mutating func put(_ channel: ChannelID) {
        put(channel.job)
        put(channel.edge)
        put(channel.from)
        put(channel.to)
        put(channel.attempt)
    }

    package mutating func put(_ barrier: Barrier) {
        put(barrier.checkpoint)
        put(barrier.kind.rawValue)
        putOptional(barrier.layout) { $0.put($1) }
    }

    package mutating func put(_ split: SplitState) {
        put(split.split.id)
        put(split.split.label)
        put(split.split.payload)
        putList(split.split.after) { $0.put($1) }
        put(split.position)
        put(split.watermark)
    }

    package mutating func put(_ committable: Committable) {
        put(committable.id)
        put(committable.payload)
    }

    package mutating func put(_ pending: Manifest.PendingCommit) {
        put(UInt16(pending.vertex))
        put(pending.committable)
    }

    package mutating func put(_ object: Manifest.StateObject) {
        put(object.key)
        put(UInt64(object.bytes))
        put(object.checksum)
        putList(object.subtasks) { $0.put($1) }
    }

    package mutating func put(_ error: StreamError) {
        put(error.kind.rawValue)
        put(error.retry)
        put(error.message)
        putList(error.path) { $0.put($1) }
        putOptional(error.unreachable) { $0.put($1.description) }
    }

    package mutating func put(_ layout: Layout) {
        put(layout.epoch)
        put(layout.attempt)
        putList(layout.vertices) { writer, vertex in
            writer.putList(vertex.slots) {
                $0.putOptional($1) {
                    $0.put($1.worker.description)
                    $0.put(UInt32($1.index))
                }
            }
            writer.putList(vertex.owners) { $0.put($1) }
            writer.putList(vertex.attempts) { $0.put($1) }
        }
    }
}

extension ByteReader {
    package mutating func job() throws(MalformedBytes) -> JobID { JobID(high: try number(), low: try number()) }

    package mutating func subtask() throws(MalformedBytes) -> SubtaskID {
        SubtaskID(vertex: Int(try number(UInt16.self)), index: Int(try number(UInt16.self)))
    }

    package mutating func task() throws(MalformedBytes) -> TaskID { TaskID(job: try job(), subtask: try subtask(), attempt: try number()) }

    package mutating func channel() throws(MalformedBytes) -> ChannelID {
        ChannelID(
            job: try job(), edge: Int(try number(UInt16.self)), from: Int(try number(UInt16.self)), to: Int(try number(UInt16.self)),
            attempt: try number())
    }

    package mutating func barrier() throws(MalformedBytes) -> Barrier {
        let checkpoint = try number(CheckpointID.self)
        let raw = try number(UInt8.self)
        guard let kind = CheckpointKind(rawValue: raw) else { throw MalformedBytes("\(raw) is no kind of checkpoint") }
        return Barrier(checkpoint: checkpoint, kind: kind, layout: try optional { reader throws(MalformedBytes) in try reader.number() })
    }

    package mutating func splitState() throws(MalformedBytes) -> SplitState {
        SplitState(
            split: Split(
                id: try string(), label: try string(), payload: try run(),
                after: try list { reader throws(MalformedBytes) in try reader.string() }),
            position: try run(), watermark: try number())
    }

    package mutating func committable() throws(MalformedBytes) -> Committable { Committable(id: try string(), payload: try run()) }

    package mutating func pendingCommit() throws(MalformedBytes) -> Manifest.PendingCommit {
        Manifest.PendingCommit(vertex: Int(try number(UInt16.self)), committable: try committable())
    }

    package mutating func stateObject() throws(MalformedBytes) -> Manifest.StateObject {
        let key = try string()
        guard let bytes = Int(exactly: try number(UInt64.self)) else { throw MalformedBytes("an object's length is over 63 bits") }
        return Manifest.StateObject(
            key: key, bytes: bytes, checksum: try number(), subtasks: try list { reader throws(MalformedBytes) in try reader.subtask() })
    }

    package mutating func streamError() throws(MalformedBytes) -> StreamError {
        let raw = try string()
        guard let kind = StreamError.Kind(rawValue: raw) else { throw MalformedBytes("\(raw) is no kind of error") }
        let (retry, message) = (try bool(), try string())
        let path = try list { reader throws(MalformedBytes) in try reader.string() }
        let unreachable = try optional { reader throws(MalformedBytes) in WorkerID(try reader.string()) }
        return path.reversed().reduce(StreamError(kind, retry: retry, message, unreachable: unreachable)) { $0.during($1) }
    }

    package mutating func layout() throws(MalformedBytes) -> Layout {
        Layout(
            epoch: try number(), attempt: try number(),
            vertices: try list { reader throws(MalformedBytes) in
                Layout.Vertex(
                    slots: try reader.list { reader throws(MalformedBytes) in
                        try reader.optional { reader throws(MalformedBytes) in
                            Layout.Slot(worker: WorkerID(try reader.string()), index: Int(try reader.number(UInt32.self)))
                        }
                    },
                    owners: try reader.list { reader throws(MalformedBytes) in try reader.number() },
                    attempts: try reader.list { reader throws(MalformedBytes) in try reader.number() })
            })
    }
}

import AWS
import Columnar
import Dataflow

/// A shard, and where reading it begins.
struct ShardSplit: Hashable {
    enum Begin: Hashable {
        case trimHorizon
        /// Milliseconds since the epoch.
        case timestamp(Int64)
    }

    var stream: String
    var shard: String
    var begin: Begin

    init(stream: String, shard: String, begin: Begin) { (self.stream, self.shard, self.begin) = (stream, shard, begin) }

    func split(after parents: [String]) -> Split {
        var writer = ByteWriter()
        writer.put(UInt8(1))
        writer.put(stream)
        switch begin {
        case .trimHorizon: writer.put(Int64.min)
        case .timestamp(let moment): writer.put(moment)
        }
        return Split(id: shard, label: "\(shard) of \(stream)", payload: writer.bytes, after: parents)
    }

    init(_ split: Split) throws(StreamError) {
        do throws(MalformedBytes) {
            self = try ByteReader.reading(split.payload) { reader throws(MalformedBytes) in
                guard try reader.number(UInt8.self) == 1 else { throw MalformedBytes("another version") }
                let stream = try reader.string()
                let moment = try reader.number(Int64.self)
                return ShardSplit(stream: stream, shard: split.id, begin: moment == .min ? .trimHorizon : .timestamp(moment))
            }
        } catch {
            throw StreamError(.user, retry: false, "split \(split.label) is not one of the kinesis connector: \(error)")
        }
    }
}

/// The last record of a shard whose rows were given.
struct ShardPosition: Hashable {
    var sequence: String
    /// Among the records that share the sequence number, and whether it was the last of them.
    var sub: Int32
    var isLast: Bool

    var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.put(UInt8(1))
        writer.put(sequence)
        writer.put(sub)
        writer.put(isLast)
        return writer.bytes
    }

    init(sequence: String, sub: Int32, isLast: Bool) { (self.sequence, self.sub, self.isLast) = (sequence, sub, isLast) }

    /// Nil: nothing was given yet.
    init?(_ state: SplitState) throws(StreamError) {
        if state.position.isEmpty { return nil }
        do throws(MalformedBytes) {
            self = try ByteReader.reading(state.position) { reader throws(MalformedBytes) in
                guard try reader.number(UInt8.self) == 1 else { throw MalformedBytes("another version") }
                return ShardPosition(sequence: try reader.string(), sub: try reader.number(), isLast: try reader.number(UInt8.self) != 0)
            }
        } catch {
            throw StreamError(.user, retry: false, "the position of split \(state.split.label) is not one of the kinesis connector: \(error)")
        }
    }
}

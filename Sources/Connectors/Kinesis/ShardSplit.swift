import AWS
import Columnar
import Dataflow

/// A shard, and where reading it begins.
package struct ShardSplit: Hashable, Sendable {
    package enum Begin: Hashable, Sendable {
        case trimHorizon
        /// Milliseconds since the epoch.
        case timestamp(Int64)
    }

    package var stream: String
    package var shard: String
    package var begin: Begin
    /// Nil: not known, of a checkpoint that does not say it.
    package var keys: HashKeyRange?

    init(stream: String, shard: String, begin: Begin, keys: HashKeyRange? = nil) {
        (self.stream, self.shard, self.begin, self.keys) = (stream, shard, begin, keys)
    }

    func split(after parents: [String]) -> Split {
        var writer = ByteWriter()
        writer.put(UInt8(keys == nil ? 1 : 2))
        writer.put(stream)
        switch begin {
        case .trimHorizon: writer.put(Int64.min)
        case .timestamp(let moment): writer.put(moment)
        }
        if let keys {
            for key in [keys.first, keys.last] {
                writer.put(UInt64(key >> 64))
                writer.put(UInt64(truncatingIfNeeded: key))
            }
        }
        return Split(id: shard, label: "\(shard) of \(stream)", payload: writer.bytes, after: parents)
    }

    init(_ split: Split) throws(StreamError) {
        do throws(MalformedBytes) {
            self = try ByteReader.reading(split.payload) { reader throws(MalformedBytes) in
                let version = try reader.number(UInt8.self)
                guard version == 1 || version == 2 else { throw MalformedBytes("another version") }
                let stream = try reader.string()
                let moment = try reader.number(Int64.self)
                func key() throws(MalformedBytes) -> UInt128 {
                    UInt128(try reader.number(UInt64.self)) << 64 | UInt128(try reader.number(UInt64.self))
                }
                let keys = version == 2 ? HashKeyRange(try key(), try key()) : nil
                return ShardSplit(stream: stream, shard: split.id, begin: moment == .min ? .trimHorizon : .timestamp(moment), keys: keys)
            }
        } catch {
            throw StreamError(.user, retry: false, "split \(split.label) is not one of the kinesis connector: \(error)")
        }
    }
}

/// The last record of a shard whose rows were given.
package struct ShardPosition: Hashable, Sendable {
    package var sequence: String
    /// Among the records that share the sequence number, and whether it was the last of them.
    package var sub: Int32
    package var isLast: Bool

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
    package init?(_ state: SplitState) throws(StreamError) {
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

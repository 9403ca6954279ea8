import Columnar
import Dataflow

extension DataMessage {
    package func encode() -> [UInt8] {
        switch self {
        case .credit(let channel, let batches):
            var writer = ByteWriter(capacity: 32)
            writer.put(UInt8(1))
            writer.put(channel)
            writer.put(batches)
            return writer.bytes
        case .state(let parcel):
            var writer = ByteWriter(capacity: parcel.bytes.count + 96)
            writer.put(UInt8(8))
            parcel.encode(into: &writer)
            return writer.bytes
        case .element(let channel, let sequence, let element):
            var writer = ByteWriter(capacity: 64)
            if case .batch(let batch) = element { writer = ByteWriter(capacity: batch.byteCount + 64 + 16 * batch.columns.count) }
            let kind: UInt8 =
                switch element {
                case .batch: 2
                case .watermark: 3
                case .barrier: 4
                case .idle: 5
                case .active: 6
                case .end: 7
                }
            writer.put(kind)
            writer.put(channel)
            writer.put(sequence)
            switch element {
            case .batch(let batch): batch.encode(into: &writer)
            case .watermark(let time): writer.put(time)
            case .barrier(let barrier): writer.put(barrier)
            case .idle, .active, .end: break
            }
            return writer.bytes
        }
    }

    /// `types` gives the columns of a channel's batches, or nil for a channel that is not known here: then the answer is nil too.
    package static func decode(
        _ memory: UnsafeRawBufferPointer, types: (ChannelID) -> [DataType]?
    ) throws(MalformedBytes) -> DataMessage? {
        var reader = ByteReader(memory)
        let kind = try reader.number(UInt8.self)
        if kind == 8 {
            let parcel = try StateParcel(from: &reader)
            try reader.end()
            return .state(parcel)
        }
        let channel = try reader.channel()
        if kind == 1 {
            let batches = try reader.number(UInt32.self)
            try reader.end()
            return .credit(channel, batches: batches)
        }
        let sequence = try reader.number(UInt64.self)
        let element: StreamElement
        switch kind {
        case 2:
            guard let types = types(channel) else { return nil }
            element = .batch(try Batch.decode(types, from: &reader))
        case 3: element = .watermark(try reader.number())
        case 4: element = .barrier(try reader.barrier())
        case 5: element = .idle
        case 6: element = .active
        case 7: element = .end
        default: throw MalformedBytes("\(kind) is no message between TaskManagers")
        }
        try reader.end()
        return .element(channel, sequence: sequence, element)
    }
}

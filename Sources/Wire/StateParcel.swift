import Columnar
import Dataflow

/// A piece of the state that one task hands to another at the barrier of a planned change, or ahead of it. Pieces of one pair of tasks travel
/// on one connection, in order.
///
/// Bytes: `from: task | to: task | layout: u32 | isAhead: bool | number: u32 | isLast: bool | run`. All runs together are the operators' segments:
/// `list of (uid: text | list of (group: u32 | run))`.
package struct StateParcel: Hashable, Sendable {
    /// Bytes of one piece at most: between two of them other things may pass.
    package static let most = 1 << 20

    package var from: TaskID
    package var to: TaskID
    package var layout: LayoutEpoch
    /// A copy from before the barrier; what has changed since follows at the barrier.
    package var isAhead: Bool
    /// From 0.
    package var number: UInt32
    package var isLast: Bool
    package var bytes: [UInt8]

    package init(from: TaskID, to: TaskID, layout: LayoutEpoch, isAhead: Bool = false, number: UInt32, isLast: Bool, bytes: [UInt8]) {
        self.from = from
        self.to = to
        self.layout = layout
        self.isAhead = isAhead
        self.number = number
        self.isLast = isLast
        self.bytes = bytes
    }

    /// The segments of `groups` among the frozen state, in pieces. Slow; for another thread than the task's.
    package static func parcels(
        of operators: [OperatorSnapshot], groups: [Int], from: TaskID, to: TaskID, layout: LayoutEpoch, isAhead: Bool = false, most: Int = most
    ) -> [StateParcel] {
        let bytes = bytes(of: operators, groups: groups)
        return (0..<count(of: bytes, most: most)).map { parcel(bytes, $0, from: from, to: to, layout: layout, isAhead: isAhead, most: most) }
    }

    /// All runs together. Slow; for another thread than the task's.
    package static func bytes(of operators: [OperatorSnapshot], groups: [Int]) -> [UInt8] {
        let wanted = Set(groups)
        var writer = ByteWriter()
        writer.putList(operators.filter { $0.keyed != nil }) { writer, snapshot in
            writer.put(snapshot.uid)
            writer.putList(snapshot.keyed?.segments(of: wanted) ?? []) { writer, segment in
                writer.put(UInt32(segment.group))
                writer.put(segment.bytes)
            }
        }
        return writer.bytes
    }

    /// How many pieces that makes.
    package static func count(of bytes: [UInt8], most: Int = most) -> Int { max(1, (bytes.count + most - 1) / most) }

    package static func parcel(
        _ bytes: [UInt8], _ number: Int, from: TaskID, to: TaskID, layout: LayoutEpoch, isAhead: Bool, most: Int = most
    ) -> StateParcel {
        StateParcel(
            from: from, to: to, layout: layout, isAhead: isAhead, number: UInt32(number), isLast: number == count(of: bytes, most: most) - 1,
            bytes: Array(bytes[min(number * most, bytes.count)..<min((number + 1) * most, bytes.count)]))
    }

    /// The state that all pieces together hold.
    package static func state(of bytes: [UInt8]) throws(MalformedBytes) -> TaskRestore {
        try ByteReader.reading(bytes) { reader throws(MalformedBytes) in
            let operators = try reader.list { reader throws(MalformedBytes) in
                TaskRestore.OperatorState(
                    uid: try reader.string(),
                    segments: try reader.list { reader throws(MalformedBytes) in
                        StateSegment(group: Int(try reader.number(UInt32.self)), bytes: try reader.run())
                    })
            }
            try reader.end()
            return TaskRestore(operators: operators)
        }
    }

    func encode(into writer: inout ByteWriter) {
        writer.put(from)
        writer.put(to)
        writer.put(layout)
        writer.put(isAhead)
        writer.put(number)
        writer.put(isLast)
        writer.put(bytes)
    }

    init(from reader: inout ByteReader) throws(MalformedBytes) {
        self.init(
            from: try reader.task(), to: try reader.task(), layout: try reader.number(), isAhead: try reader.bool(), number: try reader.number(), isLast: try reader.bool(),
            bytes: try reader.run())
    }
}

import Columnar
import Dataflow
import State
import Testing

@Suite struct SegmentTests {
    private static let types = [DataType(.bigint), DataType(.string), DataType(.decimal(precision: 38, scale: 2)), DataType(.double)]

    private static func frozen(rows: Int) -> FrozenTables {
        let columns = [
            Column.of(types[0], (0..<rows).map { $0 % 5 == 0 ? .null : .integer(Int64($0) * 1_000_003 - 500) }),
            Column.of(types[1], (0..<rows).map { .string("text \($0)") }),
            Column.of(types[2], (0..<rows).map { .decimal(Int128($0) * Int128(Int64.max) - 7) }),
            Column.of(types[3], (0..<rows).map { .double(Double($0) / 3) }),
        ]
        let hashes = Buffer(capacity: rows * 8)
        KeyHash.hashes([columns[0]], count: rows, into: hashes.typed(UInt64.self))
        return FrozenTables(
            layout: "a test", maxParallelism: 4, groups: [0, 1], progress: [77, Watermark.minimum],
            sections: [(StateSection(label: -5000, columns: columns, count: rows), hashes)])
    }

    private static func decode(_ segments: [StateSegment], layout: String = "a test") throws(StreamError) -> [SegmentCodec.Contents] {
        try SegmentCodec.decode(segments, layout: layout, types: types, keys: 1, maxParallelism: 4, uid: "op")
    }

    @Test func everyRowComesBackInItsGroup() throws {
        let segments = Self.frozen(rows: 100).segments()
        #expect(segments.map(\.group) == [0, 1, 2, 3])
        let contents = try Self.decode(segments)
        #expect(contents.map(\.progress) == [77, .min, .min, .min])
        let rows = contents.flatMap { $0.sections.flatMap { section in (0..<section.count).map { row in section.columns.map { $0.value(row) } } } }
        let original = Self.frozen(rows: 100).sections[0].section
        #expect(Set(rows) == Set((0..<100).map { row in original.columns.map { $0.value(row) } }))
        #expect(contents.allSatisfy { $0.sections.allSatisfy { $0.label == -5000 } })
    }

    @Test func groupsWithoutKeysCarryTheirProgress() throws {
        let segments = Self.frozen(rows: 0).segments()
        #expect(segments.map(\.group) == [0])
        #expect(try Self.decode(segments)[0].progress == 77)
    }

    @Test func stateOfAnotherLayoutOrGroupIsRefused() throws {
        var segments = Self.frozen(rows: 100).segments()
        let error = #expect(throws: StreamError.self) { try Self.decode(segments, layout: "another") }
        #expect(error?.message.contains("a test") == true && error?.message.contains("another") == true)
        segments[2].group = 3
        #expect(throws: StreamError.self) { try Self.decode(segments) }
    }

    @Test func anyByteMayBeWrong() throws {
        let segment = Self.frozen(rows: 30).segments()[1]
        for at in segment.bytes.indices {
            #expect(throws: StreamError.self) { try Self.decode([StateSegment(group: 1, bytes: Array(segment.bytes.prefix(at)))]) }
            for bit in 0..<8 {
                var damaged = segment
                damaged.bytes[at] ^= 1 << UInt8(bit)
                // Either it is refused, or what comes back has the shape that it should have; the object's checksum tells the rest.
                guard let contents = try? Self.decode([damaged]) else { continue }
                #expect(contents[0].sections.allSatisfy { section in section.columns.allSatisfy { $0.count == section.count } })
            }
        }
    }

    @Test func aMillionCountersTakeAtMostFortyBytesAKey() throws {
        let rows = 50_000
        let bigint = DataType(.bigint)
        let columns = [
            Column.of(bigint, (0..<rows).map { .integer(Int64(bitPattern: UInt64($0) &* 0x9E37_79B9_7F4A_7C15)) }),
            Column.of(bigint, (0..<rows).map { .integer(Int64($0 % 7)) }),
            Column.of(bigint, (0..<rows).map { .integer(Int64($0) &* 1_000_000_007) }),
            Column.of(bigint, (0..<rows).map { .integer(Int64($0) &* 9_000_000_011) }),
        ]
        let hashes = Buffer(capacity: rows * 8)
        KeyHash.hashes([columns[0]], count: rows, into: hashes.typed(UInt64.self))
        let frozen = FrozenTables(
            layout: "COUNT, MAX, SUM", maxParallelism: 36, groups: [], progress: [],
            sections: [(StateSection(label: 0, columns: columns, count: rows), hashes)])
        #expect(frozen.segments().reduce(0) { $0 + $1.bytes.count } <= rows * 40)
    }
}

import CKernels
import Columnar
import Dataflow
import State
import Testing

private struct Ready: FrozenState {
    var all: [StateSegment]
    func segments() -> [StateSegment] { all }
}

@Suite struct SnapshotObjectTests {
    private static func tasks() -> [TaskSnapshot] {
        (0..<3).map { index in
            let segments = (index * 4..<index * 4 + 4).map { StateSegment(group: $0, bytes: Array("group \($0)".utf8)) }
            return TaskSnapshot(subtask: SubtaskID(vertex: 1, index: index), operators: [
                OperatorSnapshot(uid: "window", keyed: Ready(all: segments)),
                OperatorSnapshot(uid: "sink", unit: Array("file of \(index)".utf8)),
                OperatorSnapshot(uid: "calc"),
            ])
        }
    }

    private static func reader(_ bytes: [UInt8]) -> SnapshotObject.Read { { range in Array(bytes[range]) } }

    @Test func givesEachSubtaskItsGroupsAndUnits() throws {
        let bytes = SnapshotObject.encode(Self.tasks())
        let index = try SnapshotObject.index(length: bytes.count, read: Self.reader(bytes))
        let restore = try index.restore(vertex: 1, groups: [2, 3, 4, 5], unitsOf: [1], read: Self.reader(bytes))
        #expect(restore.state(of: "window")?.segments.map(\.group) == [2, 3, 4, 5])
        #expect(restore.state(of: "window")?.segments.map { String(decoding: $0.bytes, as: UTF8.self) } == (2...5).map { "group \($0)" })
        #expect(restore.state(of: "sink")?.units == [Array("file of 1".utf8)])
        #expect(try index.restore(vertex: 0, groups: [2], unitsOf: [0], read: Self.reader(bytes)).operators.isEmpty)
    }

    @Test func readsOnlyWhatIsAskedFor() throws {
        let bytes = SnapshotObject.encode(Self.tasks())
        let index = try SnapshotObject.index(length: bytes.count, read: Self.reader(bytes))
        var read: [Range<Int>] = []
        _ = try index.restore(vertex: 1, groups: [4, 5, 9], unitsOf: []) { range in
            read.append(range)
            return Array(bytes[range])
        }
        #expect(read.map(\.count) == [14, 7])
    }

    @Test func damageAnywhereIsFound() throws {
        let bytes = SnapshotObject.encode(Self.tasks())
        for at in bytes.indices {
            var damaged = bytes
            damaged[at] ^= 1 << UInt8(at % 8)
            #expect(throws: StreamError.self, "byte \(at)") {
                let index = try SnapshotObject.index(length: damaged.count, read: Self.reader(damaged))
                _ = try index.restore(vertex: 1, groups: Set(0..<12), unitsOf: [0, 1, 2], read: Self.reader(damaged))
            }
            let cut = Array(bytes.prefix(at))
            #expect(throws: StreamError.self) { try SnapshotObject.index(length: cut.count, read: Self.reader(cut)) }
        }
    }

    @Test func checksumsAreCastagnolis() {
        #expect(Checksum.crc32c(Array("123456789".utf8)) == 0xE306_9283)
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7919) }
        for count in [0, 1, 7, 8, 9, 63, 1000] {
            #expect(Checksum.crc32c(Array(bytes.prefix(count))) == swiftwater_crc32c_by_table(0, bytes, count))
        }
    }
}

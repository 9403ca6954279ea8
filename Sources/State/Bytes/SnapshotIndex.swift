import Columnar
import Dataflow

extension SnapshotObject {
    /// Where each segment and unit of an object lies.
    package struct Index: Hashable, Sendable {
        package struct Entry: Hashable, Sendable {
            var group: UInt32
            package var offset: Int
            package var length: Int
            package var checksum: UInt32

            /// Nil: a unit.
            package var keyGroup: Int? { group == SnapshotObject.unit ? nil : Int(group) }
        }

        /// One operator of one subtask.
        package struct Owner: Hashable, Sendable {
            package var subtask: SubtaskID
            package var uid: String
            /// Segments by group, then the unit; one after the other in the object.
            package var entries: [Entry]
        }

        package var owners: [Owner]

        /// The state that a subtask of `vertex` needs from this object: segments of its key groups, and the units of those
        /// subtasks (of the old layout) that it succeeds. Every payload's checksum is compared.
        package func restore(vertex: Int, groups: Set<Int>, unitsOf subtasks: Set<Int>, read: Read) throws(StreamError) -> TaskRestore {
            var restore = TaskRestore()
            for owner in owners where owner.subtask.vertex == vertex {
                let wanted = owner.entries.filter { entry in
                    entry.keyGroup.map { groups.contains($0) } ?? subtasks.contains(owner.subtask.index)
                }
                var state = TaskRestore.OperatorState(uid: owner.uid)
                for run in Index.adjacent(wanted) {
                    let start = run[0].offset, end = run[run.count - 1].offset + run[run.count - 1].length
                    let bytes = try read(start..<end)
                    guard bytes.count == end - start else { throw SnapshotObject.damaged("\(bytes.count) bytes came for \(end - start)") }
                    for entry in run {
                        let payload = Array(bytes[entry.offset - start..<entry.offset - start + entry.length])
                        guard Checksum.crc32c(payload) == entry.checksum else {
                            let what = entry.keyGroup.map { "key group \($0)" } ?? "the unit"
                            throw SnapshotObject.damaged("the checksum of \(what) of operator \(owner.uid), subtask \(owner.subtask), is wrong")
                        }
                        if let group = entry.keyGroup { state.segments.append(StateSegment(group: group, bytes: payload)) } else { state.units.append(payload) }
                    }
                }
                if !wanted.isEmpty { restore.add(state) }
            }
            return restore
        }

        /// Entries that lie side by side are read together.
        private static func adjacent(_ entries: [Entry]) -> [[Entry]] {
            var runs: [[Entry]] = []
            for entry in entries {
                if let last = runs.last?.last, last.offset + last.length == entry.offset { runs[runs.count - 1].append(entry) } else { runs.append([entry]) }
            }
            return runs
        }
    }
}

extension SnapshotObject.Index {
    func encode(into writer: inout ByteWriter) {
        writer.putList(owners) { writer, owner in
            writer.put(UInt32(owner.subtask.vertex))
            writer.put(UInt32(owner.subtask.index))
            writer.put(owner.uid)
            writer.putList(owner.entries) { writer, entry in
                writer.put(entry.group)
                writer.put(UInt64(entry.offset))
                writer.put(UInt64(entry.length))
                writer.put(entry.checksum)
            }
        }
    }

    init(from reader: inout ByteReader) throws(MalformedBytes) {
        owners = try reader.list { (reader: inout ByteReader) throws(MalformedBytes) in
            let subtask = SubtaskID(vertex: Int(try reader.number(UInt32.self)), index: Int(try reader.number(UInt32.self)))
            let uid = try reader.string()
            let entries = try reader.list { (reader: inout ByteReader) throws(MalformedBytes) in
                let group = try reader.number(UInt32.self)
                let offset = try reader.number(UInt64.self), length = try reader.number(UInt64.self)
                guard offset < UInt64(Int.max), length < UInt64(Int.max) else { throw MalformedBytes("an entry lies outside") }
                return Entry(group: group, offset: Int(offset), length: Int(length), checksum: try reader.number(UInt32.self))
            }
            return Owner(subtask: subtask, uid: uid, entries: entries)
        }
    }
}

import Columnar
import Dataflow

/// The one object that a TaskManager writes for a checkpoint: every segment and unit of its tasks, one after the other, then
/// an index, then a footer of fixed length. A reader asks for the tail first and then only for what it needs.
///
/// `payloads | index | footer`. Footer: `index offset: u64 | index length: u64 | CRC-32C of the index: u32 | version: u32 |
/// "SWSTATE1"`. Little endian. The index lists, for each operator of each subtask, its payloads with offset, length and
/// CRC-32C; key group `unit` marks state that belongs to no key.
package enum SnapshotObject {
    package static let version: UInt32 = 1
    package static let footerLength = 32
    /// Key group of an entry that is a unit.
    static let unit: UInt32 = .max
    private static let magic = Array("SWSTATE1".utf8)

    /// Reads bytes `range` of an object; must give exactly as many.
    package typealias Read = (Range<Int>) throws(StreamError) -> [UInt8]

    /// Turns frozen state into bytes: slow, for another thread than the task's.
    package static func encode(_ tasks: [TaskSnapshot]) -> [UInt8] {
        var payloads: [UInt8] = []
        var owners: [Index.Owner] = []
        func add(_ bytes: [UInt8], group: UInt32, to owner: inout Index.Owner) {
            owner.entries.append(.init(group: group, offset: payloads.count, length: bytes.count, checksum: Checksum.crc32c(bytes)))
            payloads += bytes
        }
        for task in tasks {
            for snapshot in task.operators {
                var owner = Index.Owner(subtask: task.subtask, uid: snapshot.uid, entries: [])
                snapshot.keyed?.eachSegment { add($0.bytes, group: UInt32($0.group), to: &owner) }
                if let unit = snapshot.unit { add(unit, group: SnapshotObject.unit, to: &owner) }
                if !owner.entries.isEmpty { owners.append(owner) }
            }
        }
        var index = ByteWriter(capacity: 1 << 12)
        Index(owners: owners).encode(into: &index)
        var footer = ByteWriter(capacity: footerLength)
        footer.put(UInt64(payloads.count))
        footer.put(UInt64(index.count))
        footer.put(Checksum.crc32c(index.bytes))
        footer.put(version)
        magic.withUnsafeBytes { footer.putRaw($0) }
        payloads += index.bytes
        payloads += footer.bytes
        return payloads
    }

    /// What an object of `length` bytes holds, read from its tail and checked.
    package static func index(length: Int, read: Read) throws(StreamError) -> Index {
        guard length >= footerLength else { throw damaged("\(length) bytes are too few") }
        let tail = try read(length - footerLength..<length)
        let (offset, size, checksum) = try footer(tail, length: length)
        let bytes = try read(offset..<offset + size)
        guard bytes.count == size, Checksum.crc32c(bytes) == checksum else { throw damaged("the checksum of its index is wrong") }
        do throws(MalformedBytes) {
            let index = try ByteReader.reading(bytes) { (reader: inout ByteReader) throws(MalformedBytes) in
                let index = try Index(from: &reader)
                try reader.end()
                return index
            }
            for owner in index.owners {
                for entry in owner.entries where entry.offset < 0 || entry.length < 0 || entry.offset > offset - entry.length {
                    throw MalformedBytes("an entry lies outside")
                }
            }
            return index
        } catch { throw damaged(error.description) }
    }

    private static func footer(_ tail: [UInt8], length: Int) throws(StreamError) -> (offset: Int, size: Int, checksum: UInt32) {
        guard tail.count == footerLength, Array(tail.suffix(magic.count)) == magic else { throw damaged("it is no state object") }
        do throws(MalformedBytes) {
            return try ByteReader.reading(tail) { (reader: inout ByteReader) throws(MalformedBytes) in
                let offset = try reader.number(UInt64.self), size = try reader.number(UInt64.self)
                let checksum = try reader.number(UInt32.self), version = try reader.number(UInt32.self)
                guard version == self.version else { throw MalformedBytes("its format is \(version), this build reads \(self.version)") }
                let (end, overflow) = offset.addingReportingOverflow(size)
                guard !overflow, end == UInt64(length - footerLength) else { throw MalformedBytes("its index does not end where its footer begins") }
                return (Int(offset), Int(size), checksum)
            }
        } catch { throw damaged(error.description) }
    }

    static func damaged(_ what: String) -> StreamError {
        StreamError(.externalSystem, retry: false, "the state object is damaged: \(what)")
    }
}

import Columnar
import Dataflow

/// The bytes of one key group of one operator:
///
/// `"Sg" | version: u8 | hasSections: u8 | progress: varint | [layout: text | sections: varint | section …]`, a section:
/// `label: varint | rows: varint | column …` with the columns of the layout (`ColumnCodec`). Signed varints are zigzag.
package enum SegmentCodec {
    package static let version: UInt8 = 1

    /// What one segment holds.
    package struct Contents: Sendable {
        package var group: Int
        package var progress: Int64
        package var sections: [StateSection]
    }

    static func header(into encoder: inout ColumnEncoder, progress: Int64, layout: String, sections: Int) {
        encoder.put(byte: UInt8(ascii: "S"))
        encoder.put(byte: UInt8(ascii: "g"))
        encoder.put(byte: version)
        encoder.put(byte: sections > 0 ? 1 : 0)
        encoder.put(signed: progress)
        guard sections > 0 else { return }
        encoder.put(text: layout)
        encoder.put(unsigned: UInt64(sections))
    }

    /// Decodes all segments or none: state is touched only after this has returned.
    ///
    /// - Parameter keys: how many of the leading columns are the key; their hash must lie in the segment's group.
    package static func decode(
        _ segments: [StateSegment], layout: String, types: [DataType], keys: Int, maxParallelism: Int, uid: String
    ) throws(StreamError) -> [Contents] {
        var all: [Contents] = []
        all.reserveCapacity(segments.count)
        for segment in segments {
            do throws(MalformedBytes) {
                let contents = try ByteReader.reading(segment.bytes) { (reader: inout ByteReader) throws(MalformedBytes) in
                    try decode(&reader, group: segment.group, layout: layout, types: types)
                }
                try checkGroup(contents, keys: keys, maxParallelism: maxParallelism)
                all.append(contents)
            } catch {
                throw StreamError(.user, retry: false, "the state of operator \(uid), key group \(segment.group), cannot be restored: \(error)")
            }
        }
        return all
    }

    private static func decode(_ reader: inout ByteReader, group: Int, layout: String, types: [DataType]) throws(MalformedBytes) -> Contents {
        guard try reader.number(UInt8.self) == UInt8(ascii: "S"), try reader.number(UInt8.self) == UInt8(ascii: "g") else {
            throw MalformedBytes("these bytes are no state segment")
        }
        let version = try reader.number(UInt8.self)
        guard version == self.version else { throw MalformedBytes("state format \(version), this build reads \(self.version)") }
        let hasSections = try reader.bool()
        var contents = Contents(group: group, progress: try reader.signedVarint(), sections: [])
        if hasSections {
            let found = try reader.shortText()
            guard found == layout else { throw MalformedBytes("it is the state of \(found), not of \(layout)") }
            for _ in 0..<(try reader.varint()) {
                let label = try reader.signedVarint()
                let rows = try reader.varint()
                guard rows <= UInt64(reader.remaining) else { throw MalformedBytes("\(rows) keys cannot lie in \(reader.remaining) bytes") }
                var columns: [Column] = []
                for type in types { columns.append(try reader.column(type, count: Int(rows))) }
                contents.sections.append(StateSection(label: label, columns: columns, count: Int(rows)))
            }
        }
        try reader.end()
        return contents
    }

    private static func checkGroup(_ contents: Contents, keys: Int, maxParallelism: Int) throws(MalformedBytes) {
        for section in contents.sections {
            var hashes = [UInt64](repeating: 0, count: section.count)
            hashes.withUnsafeMutableBufferPointer { target in
                guard let start = target.baseAddress else { return }
                KeyHash.hashes(Array(section.columns.prefix(keys)), count: section.count, into: start)
            }
            for hash in hashes where KeyGroup.of(hash: hash, groups: maxParallelism) != contents.group {
                throw MalformedBytes("it holds a key of group \(KeyGroup.of(hash: hash, groups: maxParallelism))")
            }
        }
    }
}

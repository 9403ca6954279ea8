import Glibc

/// A batch's bytes between TaskManagers. Both ends know the types from the job graph; the bytes carry only what varies.
///
/// `rows: u32 | hasKinds: u8 | kinds | columns`, a column: `hasValidity: u8 | validity words | values | [bytes: u32 | run]`.
/// Everything is little endian, like the memory it is copied from.
extension Batch {
    package static let maximumRows = 1 << 20

    package func encode(into writer: inout ByteWriter) {
        writer.put(UInt32(count))
        writer.put(kinds != nil)
        if let kinds { writer.putRaw(UnsafeRawBufferPointer(start: kinds.pointer, count: count)) }
        for column in columns { column.encode(into: &writer) }
    }

    package static func decode(_ types: [DataType], from reader: inout ByteReader) throws(MalformedBytes) -> Batch {
        let count = Int(try reader.number(UInt32.self))
        guard count <= maximumRows else { throw MalformedBytes("a batch of \(count) rows is over the limit of \(maximumRows)") }
        var kinds: Buffer?
        if try reader.bool() {
            let raw = try reader.take(count)
            for byte in raw where byte > 3 { throw MalformedBytes("\(byte) is no row kind") }
            kinds = copy(raw)
        }
        var columns: [Column] = []
        for type in types { columns.append(try Column.decode(type, count: count, from: &reader)) }
        return Batch(count: count, columns: columns, kinds: kinds)
    }
}

extension Column {
    package func encode(into writer: inout ByteWriter) {
        writer.put(validity != nil)
        if let validity { writer.putRaw(UnsafeRawBufferPointer(start: validity.pointer, count: Column.validityBytes(count))) }
        guard let bytes else {
            return writer.putRaw(UnsafeRawBufferPointer(start: values.pointer, count: count * physical.width))
        }
        writer.putRaw(UnsafeRawBufferPointer(start: values.pointer, count: (count + 1) * 4))
        writer.put(UInt32(offsets[count]))
        writer.putRaw(UnsafeRawBufferPointer(start: bytes.pointer, count: Int(offsets[count])))
    }

    package static func decode(_ type: DataType, count: Int, from reader: inout ByteReader) throws(MalformedBytes) -> Column {
        var validity: Buffer?
        if try reader.bool() { validity = copy(try reader.take(validityBytes(count))) }
        let physical = type.kind.physical
        guard physical == .bytes else {
            return Column(type: type, count: count, values: copy(try reader.take(count * physical.width)), validity: validity)
        }
        let values = copy(try reader.take((count + 1) * 4))
        let total = Int32(bitPattern: try reader.number(UInt32.self))
        let offsets = values.typed(Int32.self)
        var ordered = offsets[0] == 0 && offsets[count] == total && total >= 0
        for row in 0..<count { ordered = ordered && offsets[row] <= offsets[row + 1] }
        guard ordered else { throw MalformedBytes("offsets of a \(type) column are out of order") }
        let bytes = copy(try reader.take(Int(total)))
        return Column(type: type, count: count, values: values, bytes: bytes, validity: validity)
    }
}

private func copy(_ raw: UnsafeRawBufferPointer) -> Buffer {
    let buffer = Buffer(capacity: raw.count)
    if let source = raw.baseAddress { memcpy(buffer.pointer, source, raw.count) }
    return buffer
}

/// Appends little-endian numbers, strings and runs of bytes. Its reader is `ByteReader`.
package struct ByteWriter {
    package private(set) var bytes: [UInt8] = []

    package init(capacity: Int = 64) { bytes.reserveCapacity(capacity) }

    package var count: Int { bytes.count }

    @inlinable package mutating func put<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.littleEndian) { putRaw($0) }
    }

    package mutating func put(_ value: Bool) { put(UInt8(value ? 1 : 0)) }

    package mutating func put(_ value: Double) { put(value.bitPattern) }

    package mutating func put(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            put(UInt32(utf8.count))
            putRaw(UnsafeRawBufferPointer(utf8))
        }
    }

    package mutating func put(_ run: [UInt8]) {
        put(UInt32(run.count))
        bytes.append(contentsOf: run)
    }

    package mutating func putRaw(_ run: UnsafeRawBufferPointer) { bytes.append(contentsOf: run) }

    /// A count, then each element.
    package mutating func putList<Elements: Collection>(_ elements: Elements, _ body: (inout ByteWriter, Elements.Element) -> Void) {
        put(UInt32(elements.count))
        for element in elements { body(&self, element) }
    }

    package mutating func putOptional<T>(_ value: T?, _ body: (inout ByteWriter, T) -> Void) {
        put(value != nil)
        if let value { body(&self, value) }
    }

    /// Writes over four bytes that were written before.
    package mutating func patch(_ value: UInt32, at offset: Int) {
        withUnsafeBytes(of: value.littleEndian) { raw in for index in 0..<4 { bytes[offset + index] = raw[index] } }
    }
}

/// What is wrong with bytes that came from outside: a frame, a file, a state object.
package struct MalformedBytes: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// Reads what `ByteWriter` wrote. Every read checks its bounds, and lists check that their count can fit in what is left, so
/// that random bytes neither crash nor allocate more than they are long.
package struct ByteReader {
    private let memory: UnsafeRawBufferPointer
    package private(set) var position = 0

    /// The memory must outlive the reader.
    package init(_ memory: UnsafeRawBufferPointer) { self.memory = memory }

    package static func reading<T>(_ bytes: [UInt8], _ body: (inout ByteReader) throws(MalformedBytes) -> T) throws(MalformedBytes) -> T {
        let result: Result<T, MalformedBytes> = bytes.withUnsafeBytes { raw in
            var reader = ByteReader(raw)
            do throws(MalformedBytes) { return .success(try body(&reader)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    package var remaining: Int { memory.count - position }

    package mutating func take(_ count: Int) throws(MalformedBytes) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= remaining else { throw MalformedBytes("cut off: \(count) bytes wanted at \(position), \(remaining) left") }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: memory[position..<position + count])
    }

    // Other modules call it without knowing its body: each number would look its type up anew.
    @specialized(where T == UInt8) @specialized(where T == UInt16) @specialized(where T == UInt32)
    @specialized(where T == UInt64) @specialized(where T == Int32) @specialized(where T == Int64)
    package mutating func number<T: FixedWidthInteger>(_ type: T.Type = T.self) throws(MalformedBytes) -> T {
        T(littleEndian: try take(MemoryLayout<T>.size).loadUnaligned(as: T.self))
    }

    package mutating func bool() throws(MalformedBytes) -> Bool {
        switch try number(UInt8.self) {
        case 0: return false
        case 1: return true
        case let other: throw MalformedBytes("a flag is 0 or 1, not \(other)")
        }
    }

    package mutating func double() throws(MalformedBytes) -> Double { Double(bitPattern: try number()) }

    package mutating func string() throws(MalformedBytes) -> String {
        let raw = try take(Int(try number(UInt32.self)))
        guard let text = String(validating: raw, as: UTF8.self) else { throw MalformedBytes("text that is not UTF-8") }
        return text
    }

    package mutating func run() throws(MalformedBytes) -> [UInt8] { Array(try take(Int(try number(UInt32.self)))) }

    package mutating func list<T>(_ body: (inout ByteReader) throws(MalformedBytes) -> T) throws(MalformedBytes) -> [T] {
        let count = Int(try number(UInt32.self))
        guard count <= remaining else { throw MalformedBytes("a list of \(count) cannot lie in \(remaining) bytes") }
        var elements: [T] = []
        elements.reserveCapacity(count)
        for _ in 0..<count { elements.append(try body(&self)) }
        return elements
    }

    package mutating func optional<T>(_ body: (inout ByteReader) throws(MalformedBytes) -> T) throws(MalformedBytes) -> T? {
        try bool() ? try body(&self) : nil
    }

    /// Checks that nothing is left over.
    package func end() throws(MalformedBytes) {
        guard remaining == 0 else { throw MalformedBytes("\(remaining) bytes too many") }
    }
}

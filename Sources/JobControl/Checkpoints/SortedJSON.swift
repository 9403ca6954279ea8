/// Writes values as JSON with sorted keys and without blanks: the very bytes of Foundation's encoder (`.sortedKeys`), in a fraction of its time,
/// which HEAD and manifests take of the JobManager at every checkpoint.
///
/// For what is stored: no floating-point numbers, no dictionaries by anything but text, no classes with superclasses.
final class SortedJSON: Encoder {
    static func encode(_ value: some Encodable) throws -> [UInt8] {
        let value = try SortedJSON().tree(of: value)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(1024)
        value.write(to: &bytes)
        return bytes
    }

    fileprivate enum Value {
        case null
        case bool(Bool)
        case integer(Int64)
        case unsigned(UInt64)
        case text(String)
        case list(List)
        case object(Object)
    }

    fileprivate final class List { var values: [Value] = [] }
    fileprivate final class Object { var fields: [(key: String, value: Value)] = [] }

    /// What the value that is being encoded has said of itself; nil: nothing yet.
    fileprivate var said: Value?
    /// Errors of what is stored are broken promises: nobody reads where they lie.
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    fileprivate func tree<T: Encodable>(of value: T) throws -> Value {
        let outer = said
        said = nil
        try value.encode(to: self)
        defer { said = outer }
        return said ?? .object(Object())
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .object(let object) = said { return KeyedEncodingContainer(Fields(encoder: self, object: object)) }
        let object = Object()
        said = .object(object)
        return KeyedEncodingContainer(Fields(encoder: self, object: object))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .list(let list) = said { return Elements(encoder: self, list: list) }
        let list = List()
        said = .list(list)
        return Elements(encoder: self, list: list)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { Single(encoder: self) }
}

private struct Fields<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: SortedJSON
    let object: SortedJSON.Object
    var codingPath: [any CodingKey] { [] }

    private func put(_ value: SortedJSON.Value, _ key: Key) { object.fields.append((key.stringValue, value)) }

    func encodeNil(forKey key: Key) { put(.null, key) }
    func encode(_ value: Bool, forKey key: Key) { put(.bool(value), key) }
    func encode(_ value: String, forKey key: Key) { put(.text(value), key) }
    func encode(_ value: Int, forKey key: Key) { put(.integer(Int64(value)), key) }
    func encode(_ value: Int64, forKey key: Key) { put(.integer(value), key) }
    func encode(_ value: UInt8, forKey key: Key) { put(.unsigned(UInt64(value)), key) }
    func encode(_ value: UInt32, forKey key: Key) { put(.unsigned(UInt64(value)), key) }
    func encode(_ value: UInt64, forKey key: Key) { put(.unsigned(value), key) }
    func encode<T: Encodable>(_ value: T, forKey key: Key) throws { put(try encoder.tree(of: value), key) }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
        let nested = SortedJSON.Object()
        put(.object(nested), key)
        return KeyedEncodingContainer(Fields<Nested>(encoder: encoder, object: nested))
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        let nested = SortedJSON.List()
        put(.list(nested), key)
        return Elements(encoder: encoder, list: nested)
    }

    func superEncoder() -> any Encoder { preconditionFailure("what is stored has no superclass") }
    func superEncoder(forKey key: Key) -> any Encoder { preconditionFailure("what is stored has no superclass") }
}

private struct Elements: UnkeyedEncodingContainer {
    let encoder: SortedJSON
    let list: SortedJSON.List
    var codingPath: [any CodingKey] { [] }
    var count: Int { list.values.count }

    private func put(_ value: SortedJSON.Value) { list.values.append(value) }

    func encodeNil() { put(.null) }
    func encode(_ value: Bool) { put(.bool(value)) }
    func encode(_ value: String) { put(.text(value)) }
    func encode(_ value: Int) { put(.integer(Int64(value))) }
    func encode(_ value: Int64) { put(.integer(value)) }
    func encode<T: Encodable>(_ value: T) throws {
        // Owners of key groups, positions: long lists of small numbers.
        if let number = value as? UInt8 { return put(.unsigned(UInt64(number))) }
        if let number = value as? UInt16 { return put(.unsigned(UInt64(number))) }
        put(try encoder.tree(of: value))
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        let nested = SortedJSON.Object()
        put(.object(nested))
        return KeyedEncodingContainer(Fields<Nested>(encoder: encoder, object: nested))
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        let nested = SortedJSON.List()
        put(.list(nested))
        return Elements(encoder: encoder, list: nested)
    }

    func superEncoder() -> any Encoder { preconditionFailure("what is stored has no superclass") }
}

private struct Single: SingleValueEncodingContainer {
    let encoder: SortedJSON
    var codingPath: [any CodingKey] { [] }

    func encodeNil() { encoder.said = .null }
    func encode(_ value: Bool) { encoder.said = .bool(value) }
    func encode(_ value: String) { encoder.said = .text(value) }
    func encode(_ value: Double) { preconditionFailure("what is stored has no floating-point numbers") }
    func encode(_ value: Float) { preconditionFailure("what is stored has no floating-point numbers") }
    func encode(_ value: Int) { encoder.said = .integer(Int64(value)) }
    func encode(_ value: Int8) { encoder.said = .integer(Int64(value)) }
    func encode(_ value: Int16) { encoder.said = .integer(Int64(value)) }
    func encode(_ value: Int32) { encoder.said = .integer(Int64(value)) }
    func encode(_ value: Int64) { encoder.said = .integer(value) }
    func encode(_ value: UInt) { encoder.said = .unsigned(UInt64(value)) }
    func encode(_ value: UInt8) { encoder.said = .unsigned(UInt64(value)) }
    func encode(_ value: UInt16) { encoder.said = .unsigned(UInt64(value)) }
    func encode(_ value: UInt32) { encoder.said = .unsigned(UInt64(value)) }
    func encode(_ value: UInt64) { encoder.said = .unsigned(value) }
    func encode<T: Encodable>(_ value: T) throws { encoder.said = try encoder.tree(of: value) }
}

extension SortedJSON.Value {
    fileprivate func write(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value):
            if value < 0 { bytes.append(UInt8(ascii: "-")) }
            SortedJSON.write(value.magnitude, to: &bytes)
        case .unsigned(let value): SortedJSON.write(value, to: &bytes)
        case .text(let text): SortedJSON.write(text, to: &bytes)
        case .list(let list):
            bytes.append(UInt8(ascii: "["))
            for (place, value) in list.values.enumerated() {
                if place > 0 { bytes.append(UInt8(ascii: ",")) }
                value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let object):
            bytes.append(UInt8(ascii: "{"))
            var isFirst = true
            for field in object.fields.sorted(by: { $0.key < $1.key }) {
                if !isFirst { bytes.append(UInt8(ascii: ",")) }
                isFirst = false
                SortedJSON.write(field.key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                field.value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }
}

extension SortedJSON {
    fileprivate static func write(_ number: UInt64, to bytes: inout [UInt8]) {
        let start = bytes.count
        var rest = number
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }

    fileprivate static func write(_ text: String, to bytes: inout [UInt8]) {
        func escape(_ letter: Character) { bytes.append(contentsOf: [UInt8(ascii: "\\"), letter.asciiValue ?? 0]) }
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): escape("\"")
            case UInt8(ascii: "\\"): escape("\\")
            case UInt8(ascii: "/"): escape("/")
            case 0x08: escape("b")
            case 0x09: escape("t")
            case 0x0a: escape("n")
            case 0x0c: escape("f")
            case 0x0d: escape("r")
            case ..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                bytes.append(contentsOf: "\\u00".utf8)
                bytes.append(contentsOf: [digits[Int(byte >> 4)], digits[Int(byte & 15)]])
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

import Glibc

/// Finds the column of a key: a small open-addressing table over length and first word, then a comparison of all bytes.
struct KeyTable: ~Copyable {
    private let bytes: UnsafeMutablePointer<UInt8>
    private let starts: [Int]
    private let lengths: [Int]
    private let slots: [Int16]

    init(_ names: [String]) {
        let encoded = names.map { Array($0.utf8) }
        let total = encoded.reduce(0) { $0 + $1.count }
        bytes = .allocate(capacity: total + 16)
        bytes.update(repeating: 0, count: total + 16)
        var starts: [Int] = [], at = 0
        for name in encoded {
            starts.append(at)
            (bytes + at).update(from: name, count: name.count)
            at += name.count
        }
        self.starts = starts
        self.lengths = encoded.map(\.count)
        var size = 8
        while size < names.count * 3 { size *= 2 }
        var slots = [Int16](repeating: -1, count: size)
        for (index, name) in encoded.enumerated() {
            var slot = name.withUnsafeBufferPointer { KeyTable.hash($0.baseAddress, $0.count) } & (size - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (size - 1) }
            slots[slot] = Int16(index)
        }
        self.slots = slots
    }

    deinit { bytes.deallocate() }

    /// Nil for a key that no column has.
    func find(_ key: UnsafePointer<UInt8>, _ count: Int) -> Int? {
        var slot = KeyTable.hash(key, count) & (slots.count - 1)
        while slots[slot] >= 0 {
            let index = Int(slots[slot])
            if lengths[index] == count, memcmp(bytes + starts[index], key, count) == 0 { return index }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private static func hash(_ key: UnsafePointer<UInt8>?, _ count: Int) -> Int {
        guard let key, count > 0 else { return 0 }
        var word: UInt64 = 0
        for index in 0..<min(count, 8) { word = word << 8 | UInt64(key[index]) }
        word ^= UInt64(key[count - 1]) << 32 ^ UInt64(truncatingIfNeeded: count) << 56
        return Int(truncatingIfNeeded: (word &* 0x9E37_79B9_7F4A_7C15) >> 40)
    }
}

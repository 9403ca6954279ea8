/// Bytes that grow at the end, in pieces that never change again: whoever keeps it as it was shares them with whoever goes on.
struct Tail: Sendable {
    /// A last piece below this is written on; a copy of it costs little.
    private static let pieceBytes = 128 << 10

    private var pieces: [[UInt8]] = []
    private(set) var count = 0

    mutating func append(_ bytes: UnsafePointer<UInt8>, _ count: Int) {
        let new = UnsafeBufferPointer(start: bytes, count: count)
        if let last = pieces.last, last.count < Tail.pieceBytes { pieces[pieces.count - 1] = last + new } else { pieces.append(Array(new)) }
        self.count += count
    }

    /// All in one piece.
    var bytes: [UInt8] {
        if pieces.count == 1 { return pieces[0] }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for piece in pieces { bytes += piece }
        return bytes
    }
}

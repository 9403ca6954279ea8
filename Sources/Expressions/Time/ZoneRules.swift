import Columnar
import Glibc

/// The offsets of a time zone from UTC, from the system's tzdata (TZif files, RFC 8536). Read once, then only looked up.
package struct ZoneRules: Sendable, Equatable {
    package let name: String
    /// Instants (seconds since the epoch) at which the offset changes, rising.
    private let instants: [Int64]
    /// The same changes on the local clock: the later of both readings, so that earlier ones keep the offset before
    /// (as Java does in gaps and overlaps).
    private let locals: [Int64]
    /// Seconds east of UTC: before the first change, then after each.
    private let offsets: [Int64]

    package static let utc = ZoneRules(name: "UTC", fixed: 0)

    package init(name: String, fixed seconds: Int) { self.init(name: name, instants: [], offsets: [Int64(seconds)]) }

    private init(name: String, instants: [Int64], offsets: [Int64]) {
        self.name = name
        self.instants = instants
        self.offsets = offsets
        locals = instants.indices.map { instants[$0] + max(offsets[$0], offsets[$0 + 1]) }
    }

    /// `Europe/Berlin`, `UTC`, `GMT+8`, `+02:00`. Nil when there is no such zone.
    package init?(named name: String) {
        if let seconds = ZoneRules.fixedOffset(name) {
            self.init(name: name, fixed: seconds)
            return
        }
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2F, 0x5F, 0x2D, 0x2B: true
            default: false
            }
        }
        guard isPlain, !name.hasPrefix("/"), let bytes = ZoneRules.read("/usr/share/zoneinfo/\(name)"), let file = ZoneFile(bytes)
        else { return nil }
        self.init(name: name, instants: file.instants, offsets: file.offsets)
    }

    package var isFixed: Bool { instants.isEmpty }

    /// Seconds east of UTC at an instant.
    package func offset(at seconds: Int64) -> Int64 { offsets[ZoneRules.place(seconds, in: instants)] }

    /// The offset that a local clock reading is taken to have.
    package func offset(atLocal seconds: Int64) -> Int64 { offsets[ZoneRules.place(seconds, in: locals)] }

    /// Ticks on the local clock of ticks since the epoch.
    package func local(_ ticks: Int64, perSecond: Int64) -> Int64 {
        ticks &+ offset(at: TimestampText.floorDivide(ticks, perSecond).0) &* perSecond
    }

    /// Ticks since the epoch of ticks on the local clock.
    package func instant(ofLocal ticks: Int64, perSecond: Int64) -> Int64 {
        ticks &- offset(atLocal: TimestampText.floorDivide(ticks, perSecond).0) &* perSecond
    }

    /// The last reading of the local clock, in milliseconds, that an instant leaves behind for good. While the clock goes through
    /// readings that it will show again when it is set back, that is the last one before them.
    package func settledLocal(_ milliseconds: Int64) -> Int64 {
        let local = self.local(milliseconds, perSecond: 1_000)
        let next = ZoneRules.place(TimestampText.floorDivide(milliseconds, 1_000).0, in: instants)
        guard next < instants.count, offsets[next + 1] < offsets[next] else { return local }
        return min(local, (instants[next] + offsets[next + 1]) * 1_000 - 1)
    }

    /// How many changes lie at or before.
    private static func place(_ value: Int64, in changes: [Int64]) -> Int {
        var low = 0, high = changes.count
        while low < high {
            let middle = (low + high) >> 1
            if changes[middle] <= value { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func fixedOffset(_ name: String) -> Int? {
        if ["UTC", "Z", "GMT", "UT"].contains(name) { return 0 }
        var text = Substring(name)
        for prefix in ["UTC", "GMT", "UT"] where text.hasPrefix(prefix) { text = text.dropFirst(prefix.count); break }
        guard let sign = text.first, sign == "+" || sign == "-" else { return nil }
        let parts = text.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
        guard (1...3).contains(parts.count), parts.allSatisfy({ (1...2).contains($0.count) }) else { return nil }
        let numbers = parts.compactMap { Int($0) }
        guard numbers.count == parts.count, numbers[0] <= 18, numbers.dropFirst().allSatisfy({ $0 < 60 }) else { return nil }
        let seconds = numbers[0] * 3_600 + (numbers.count > 1 ? numbers[1] * 60 : 0) + (numbers.count > 2 ? numbers[2] : 0)
        return sign == "-" ? -seconds : seconds
    }

    private static func read(_ path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 18)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress.unsafelyUnwrapped + count, $0.count - count) }
            if got <= 0 { break }
            count += got
        }
        return Array(bytes[..<count])
    }
}

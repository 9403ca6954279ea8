/// Events, and how many a second there were over the last minute.
///
/// Like Flink's `MeterView`: counts are noted every 5 s, the rate is the difference over the 60 s that end with the last note, and 0 before the first.
/// One thread owns it; it looks at no clock. Source: Flink 2.x, `org.apache.flink.metrics.MeterView`.
package struct Meter: Equatable, Sendable {
    package private(set) var count: UInt64 = 0
    private var notes: [UInt64]
    private var noteCount: UInt64 = 0

    package static let windowSeconds = 60
    package static let noteSeconds = 5
    private static let slots = windowSeconds / noteSeconds + 1

    package init() { notes = Array(repeating: 0, count: Self.slots) }

    package mutating func mark(_ events: Int = 1) { count &+= UInt64(events) }

    /// To be called often; notes the count once for each whole 5 s that have passed. `elapsed` is the time since the meter was made, and never falls.
    package mutating func update(elapsed: Duration) {
        let due = UInt64(max(0, elapsed.components.seconds)) / UInt64(Self.noteSeconds)
        // After a long silence older notes are all the same: a whole round of the ring says it.
        if due > noteCount + UInt64(Self.slots) { noteCount = due - UInt64(Self.slots) }
        while noteCount < due {
            noteCount += 1
            notes[Int(noteCount % UInt64(Self.slots))] = count
        }
    }

    /// Events a second.
    package var rate: Double {
        let newest = notes[Int(noteCount % UInt64(Self.slots))]
        let oldest = notes[Int((noteCount + 1) % UInt64(Self.slots))]
        return Double(newest - oldest) / Double(Self.windowSeconds)
    }
}

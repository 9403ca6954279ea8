/// Whether a line of one kind may go to the log now: one a minute. So nobody from outside fills a disk.
package struct RareLine {
    private var last: ContinuousClock.Instant?
    private var count = 0

    package init() {}

    /// How many there were since the last line, this one included; nil: not now.
    package mutating func take(at now: ContinuousClock.Instant) -> Int? {
        count += 1
        if let last, now - last < .seconds(60) { return nil }
        defer { count = 0 }
        last = now
        return count
    }
}

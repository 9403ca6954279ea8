import Dataflow

/// The last things that happened in a run, for a failure's report. Off, it costs nothing: a failed seed is simply run once more with it.
package final class Trace {
    package let isOn: Bool
    private let limit: Int
    private let prints: Bool
    private var ring: [String] = []
    private var next = 0

    /// `prints`: also say each line at once.
    package init(isOn: Bool, limit: Int = 80, prints: Bool = false) {
        self.isOn = isOn
        self.limit = limit
        self.prints = prints
    }

    package func note(_ time: Duration, _ who: @autoclosure () -> String, _ what: @autoclosure () -> String) {
        guard isOn else { return }
        let seconds = Double(time.nanoseconds / 1_000) / 1e6
        let line = "\(seconds)s \(who()): \(what())"
        if prints { print(line) }
        if ring.count < limit { ring.append(line) } else { ring[next] = line }
        next = (next + 1) % limit
    }

    package var lines: [String] { ring.count < limit ? ring : Array(ring[next...] + ring[..<next]) }
}

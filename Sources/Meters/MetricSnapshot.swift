/// What was measured, at one moment: a value that travels and merges. A thread fills one from the counters it owns; sums over subtasks, TaskManagers, or
/// the cluster are merges.
package struct MetricSnapshot: Equatable, Sendable {
    private var series: [MetricID: MetricValue] = [:]

    package init() {}

    package mutating func record(_ name: String, _ labels: [(String, String)] = [], _ value: MetricValue) {
        record(MetricID(name: name, labels: labels.map(MetricLabel.init).sorted()), value)
    }

    /// Series that both have are combined, as `MetricValue` says for each kind.
    package mutating func merge(_ other: MetricSnapshot) {
        for (id, value) in other.series { record(id, value) }
    }

    /// The same series with more labels; a label that a series has already stays.
    package func labelled(_ labels: [(String, String)]) -> MetricSnapshot {
        regrouped { own in own + labels.map(MetricLabel.init).filter { label in !own.contains { $0.name == label.name } } }
    }

    /// Without these labels, what they told apart combined: all subtasks of an operator, say.
    package func dropping(_ labels: Set<String>) -> MetricSnapshot {
        regrouped { own in own.filter { !labels.contains($0.name) } }
    }

    /// Sorted by name, then labels.
    package var all: [(id: MetricID, value: MetricValue)] {
        series.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    package subscript(_ name: String, _ labels: [(String, String)] = []) -> MetricValue? {
        series[MetricID(name: name, labels: labels.map(MetricLabel.init).sorted())]
    }

    private mutating func record(_ id: MetricID, _ value: MetricValue) {
        series[id] = series[id].map { $0.combined(with: value) } ?? value
    }

    private func regrouped(_ change: ([MetricLabel]) -> [MetricLabel]) -> MetricSnapshot {
        var changed = MetricSnapshot()
        for (id, value) in all { changed.record(MetricID(name: id.name, labels: change(id.labels).sorted()), value) }
        return changed
    }
}

package enum MetricValue: Equatable, Sendable {
    /// Only ever rises; adds up.
    case counter(UInt64)
    /// Of the moment. How two of the same name and labels become one is the gauge's own matter.
    case gauge(Double, Combining = .sum)
    /// Adds up.
    case meter(count: UInt64, perSecond: Double)
    case histogram(Histogram)

    package enum Combining: Equatable, Sendable { case sum, least, greatest }

    package static func meter(_ meter: Meter) -> MetricValue { .meter(count: meter.count, perSecond: meter.rate) }

    func combined(with other: MetricValue) -> MetricValue {
        switch (self, other) {
        case (.counter(let a), .counter(let b)): return .counter(a &+ b)
        case (.gauge(let a, .sum), .gauge(let b, _)): return .gauge(a + b, .sum)
        case (.gauge(let a, .least), .gauge(let b, _)): return .gauge(min(a, b), .least)
        case (.gauge(let a, .greatest), .gauge(let b, _)): return .gauge(max(a, b), .greatest)
        case (.meter(let a, let rateA), .meter(let b, let rateB)): return .meter(count: a &+ b, perSecond: rateA + rateB)
        case (.histogram(var a), .histogram(let b)):
            a.merge(b)
            return .histogram(a)
        case (_, .counter), (_, .gauge), (_, .meter), (_, .histogram):  // Two processes of different builds: the newer word counts.
            return other
        }
    }
}

package struct MetricID: Hashable, Sendable, Comparable {
    package let name: String
    /// Sorted.
    package let labels: [MetricLabel]

    package static func < (a: MetricID, b: MetricID) -> Bool {
        a.name != b.name ? a.name < b.name : a.labels.lexicographicallyPrecedes(b.labels)
    }
}

package struct MetricLabel: Hashable, Sendable, Comparable {
    package let name: String
    package let value: String

    init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }

    package static func < (a: MetricLabel, b: MetricLabel) -> Bool { a.name != b.name ? a.name < b.name : a.value < b.value }
}

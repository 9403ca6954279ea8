import Dataflow

/// Combines the watermarks of a task's channels: the least over those that are active, and it never falls.
///
/// A channel that comes back from idleness below the combined watermark is left out until it has caught up. When the last active
/// channel goes idle, the greatest watermark of all is passed on first, so that the outcome does not depend on the order in which
/// they went. A channel at `Watermark.maximum` has said all it has to say: it neither holds back nor counts as active.
/// Source: Flink's `StatusWatermarkValve`.
package struct WatermarkMerger {
    package struct Change: Hashable {
        package var becameActive = false
        /// The new combined watermark, if it rose.
        package var watermark: Int64?
        package var becameIdle = false

        package init(becameActive: Bool = false, watermark: Int64? = nil, becameIdle: Bool = false) {
            self.becameActive = becameActive
            self.watermark = watermark
            self.becameIdle = becameIdle
        }

        package var isNothing: Bool { !becameActive && watermark == nil && !becameIdle }
    }

    private enum Standing { case active, behind, idle, finished }

    private var watermarks: [Int64]
    private var standings: [Standing]
    package private(set) var combined = Watermark.minimum
    package private(set) var isIdle = false

    private let takesGreatest: Bool

    /// `takesGreatest`: for `SeededFault.mergerTakesTheGreatest`.
    package init(channels: Int, takesGreatest: Bool = false) {
        self.takesGreatest = takesGreatest
        watermarks = Array(repeating: Watermark.minimum, count: channels)
        standings = Array(repeating: .active, count: channels)
    }

    /// A planned change: from here on there are these channels, and each declares its watermark anew, perhaps lower than before. What was
    /// combined so far stays, and holds until all have spoken.
    package mutating func change(channels: Int) {
        watermarks = Array(repeating: Watermark.minimum, count: channels)
        standings = Array(repeating: .active, count: channels)
        isIdle = false
    }

    /// What was combined so far holds no longer: the channels declare what comes from now on, lower than before, maybe.
    package mutating func restate() { combined = Watermark.minimum }

    /// A batch came: an idle channel is active again. Call before the batch is processed.
    package mutating func batch(on channel: Int) -> Change {
        standings[channel] == .idle ? activate(channel) : Change()
    }

    package mutating func watermark(_ milliseconds: Int64, on channel: Int) -> Change {
        var change = Change()
        if standings[channel] == .idle { change = activate(channel) }
        guard milliseconds > watermarks[channel], standings[channel] != .finished else { return change }
        watermarks[channel] = milliseconds
        if milliseconds == Watermark.maximum {
            standings[channel] = .finished
        } else if standings[channel] == .behind, milliseconds >= combined {
            standings[channel] = .active
        }
        combine(into: &change)
        return change
    }

    package mutating func idle(on channel: Int) -> Change {
        guard standings[channel] == .active || standings[channel] == .behind else { return Change() }
        standings[channel] = .idle
        var change = Change()
        combine(into: &change)
        return change
    }

    package mutating func active(on channel: Int) -> Change {
        standings[channel] == .idle ? activate(channel) : Change()
    }

    package mutating func end(of channel: Int) -> Change { watermark(Watermark.maximum, on: channel) }

    private mutating func activate(_ channel: Int) -> Change {
        standings[channel] = watermarks[channel] >= combined ? .active : .behind
        var change = Change()
        if isIdle {
            isIdle = false
            change.becameActive = true
        }
        return change
    }

    private mutating func combine(into change: inout Change) {
        var least = Int64.max
        var greatest = Watermark.minimum
        var (active, behind, idle) = (0, 0, 0)
        for channel in standings.indices {
            switch standings[channel] {
            case .active:
                active += 1
                least = takesGreatest && active > 1 ? max(least, watermarks[channel]) : min(least, watermarks[channel])
            case .behind: behind += 1
            case .idle:
                idle += 1
                greatest = max(greatest, watermarks[channel])
            case .finished: break
            }
        }
        let next =
            if active > 0 { least } else if behind > 0 { combined } else if idle > 0 { greatest } else { Watermark.maximum }
        if next > combined {
            combined = next
            change.watermark = next
        }
        if active == 0, behind == 0, idle > 0, !isIdle {
            isIdle = true
            change.becameIdle = true
        }
    }
}

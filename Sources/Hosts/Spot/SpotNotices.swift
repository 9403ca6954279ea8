import AWS

/// Turns what EC2's metadata service says about the end of its instance into what is to be done about it, each once.
///
/// Source: EC2 user guide, "Spot Instance interruption notices" (two minutes, looked for every five seconds) and "EC2 instance rebalance
/// recommendations" (a raised risk, which may come to nothing).
package struct SpotNotices: Sendable {
    /// One look: what stands at each path, nil where nothing does.
    package struct Look: Hashable, Sendable {
        /// `spot/instance-action`: `{"action": "terminate", "time": "2026-11-22T16:35:07Z"}`.
        package var action: String?
        /// `spot/termination-time`, which is older: a time. It may also hold other text, which means nothing.
        package var termination: String?
        /// `events/recommendations/rebalance`: `{"noticeTime": "2026-11-22T16:35:07Z"}`.
        package var rebalance: String?

        package init(action: String? = nil, termination: String? = nil, rebalance: String? = nil) {
            (self.action, self.termination, self.rebalance) = (action, termination, rebalance)
        }

        package static let paths = ["spot/instance-action", "spot/termination-time", "events/recommendations/rebalance"]
    }

    package enum Decision: Hashable, Sendable {
        /// The instance ends: leave within this time, and end the process.
        case leave(reason: String, within: Duration)
        /// It may end: move away what runs here, without hurry, and stay.
        case evacuate(reason: String)
        /// Worth a line in the log.
        case note(String)
    }

    /// How long before the instance's end everything here should be over.
    static let reserve = Duration.seconds(10)
    static let least = Duration.seconds(5)

    private let deadline: Duration
    private let evacuatesOnRebalance: Bool
    /// By a clock that never falls.
    private var lastLook: Duration?
    private var isLeaving = false
    private var knowsRebalance = false

    /// `deadline`: from a notice to the end of the process.
    package init(deadline: Duration, evacuatesOnRebalance: Bool) {
        self.deadline = deadline
        self.evacuatesOnRebalance = evacuatesOnRebalance
    }

    /// `elapsed` never falls; `now` is the wall clock, used only for a notice that is older than this process.
    package mutating func looked(_ look: Look, elapsed: Duration, now: UnixTime) -> Decision? {
        let last = lastLook
        lastLook = elapsed
        if let (action, time) = notice(look), !isLeaving {
            isLeaving = true
            let since = "Spot notice: EC2 will \(action) this instance" + (time.map { " at \($0.text)" } ?? "")
            // It came after the last look: no clock of anybody else is needed.
            if let last { return .leave(reason: since, within: max(Self.least, deadline - (elapsed - last))) }
            let left = time.map { Duration.seconds($0.time.seconds - now.seconds) - Self.reserve } ?? deadline
            return .leave(reason: since, within: min(deadline, max(Self.least, left)))
        }
        guard look.rebalance != nil, !knowsRebalance else { return nil }
        knowsRebalance = true
        if isLeaving { return nil }
        guard last != nil else {
            // A TaskManager that is started on such an instance is wanted there; leaving at once would leave it without use.
            return .note("EC2 recommended to leave this instance before this TaskManager was started; it runs until a notice comes.")
        }
        guard evacuatesOnRebalance else { return .note("EC2 recommends to leave this instance (rebalance); nothing is done about it.") }
        return .evacuate(reason: "EC2 recommends to leave this instance (rebalance)")
    }

    /// What will happen to the instance, and when; nil: nothing is announced.
    private func notice(_ look: Look) -> (action: String, time: (text: String, time: UnixTime)?)? {
        if let text = look.action, let json = JSON(Array(text.utf8)), let action = json["action"]?.text, action != "none" {
            return (action, json["time"]?.text.flatMap { text in UnixTime(iso: text).map { (text, $0) } })
        }
        guard let text = look.termination?.split(whereSeparator: \.isWhitespace).first.map(String.init), let time = UnixTime(iso: text) else { return nil }
        return ("terminate", (text, time))
    }
}

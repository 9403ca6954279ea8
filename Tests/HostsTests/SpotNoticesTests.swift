import AWS
import Hosts
import Testing

@Suite struct SpotNoticesTests {
    private var notices = SpotNotices(deadline: .seconds(110), evacuatesOnRebalance: true)
    private let now = UnixTime(seconds: 1_800_000_000)
    private let action = #"{"action": "terminate", "time": "2027-01-15T08:02:00Z"}"#
    private let rebalance = #"{"noticeTime": "2027-01-15T08:00:00Z"}"#

    private mutating func look(_ look: SpotNotices.Look, at seconds: Int) -> SpotNotices.Decision? {
        notices.looked(look, elapsed: .seconds(seconds), now: now)
    }

    private func time(of decision: SpotNotices.Decision?) -> Duration? {
        if case .leave(_, let within)? = decision { return within }
        return nil
    }

    @Test mutating func aNoticeIsObeyedOnce() {
        #expect(look(.init(), at: 0) == nil)
        let decision = look(.init(action: action, termination: "2027-01-15T08:02:00Z"), at: 5)
        #expect(decision == .leave(reason: "Spot notice: EC2 will terminate this instance at 2027-01-15T08:02:00Z", within: .seconds(105)))
        #expect(look(.init(action: action), at: 10) == nil)
    }

    /// The clocks of EC2 and of this machine need not agree: a notice is not older than the last look.
    @Test mutating func aWrongClockShortensNothing() {
        _ = look(.init(), at: 0)
        #expect(time(of: look(.init(action: #"{"action": "stop", "time": "2020-01-01T00:00:00Z"}"#), at: 5)) == .seconds(105))
    }

    @Test(arguments: [("2027-01-15T08:01:00Z", 50), ("2027-01-15T07:59:00Z", 5), ("2027-01-15T09:00:00Z", 110), ("soon", 110)])
    mutating func aNoticeFromBeforeTheStartLeavesWhatItsTimeLeaves(time: String, seconds: Int) {
        #expect(self.time(of: look(.init(action: #"{"action": "terminate", "time": "\#(time)"}"#), at: 0)) == .seconds(seconds))
    }

    @Test mutating func theOlderPathIsEnough() {
        _ = look(.init(), at: 0)
        #expect(look(.init(termination: "not yet"), at: 5) == nil)
        #expect(time(of: look(.init(termination: "2027-01-15T08:02:00Z"), at: 10)) == .seconds(105))
    }

    @Test(arguments: ["", "{", "[]", "{}", #"{"action": 1}"#, #"{"action": "none"}"#, "<html>404</html>"]) mutating func whatIsNoNoticeIsNone(text: String) {
        _ = look(.init(), at: 0)
        #expect(look(.init(action: text), at: 5) == nil)
    }

    @Test mutating func aRecommendationMovesTasksAndANoticeStillEnds() {
        _ = look(.init(), at: 0)
        #expect(look(.init(rebalance: rebalance), at: 5) == .evacuate(reason: "EC2 recommends to leave this instance (rebalance)"))
        #expect(look(.init(rebalance: rebalance), at: 10) == nil)
        #expect(time(of: look(.init(action: action, rebalance: rebalance), at: 15)) == .seconds(105))
    }

    @Test mutating func aNoticeBeatsARecommendationOfTheSameLook() {
        _ = look(.init(), at: 0)
        #expect(time(of: look(.init(action: action, rebalance: rebalance), at: 5)) == .seconds(105))
        #expect(look(.init(action: action, rebalance: rebalance), at: 10) == nil)
    }

    /// Otherwise a TaskManager that is started anew on such an instance would leave again, and again.
    @Test mutating func aRecommendationFromBeforeTheStartIsOnlyNoted() {
        guard case .note = look(.init(rebalance: rebalance), at: 0) else { return #expect(Bool(false), "it is noted") }
        #expect(look(.init(rebalance: rebalance), at: 5) == nil)
    }
}

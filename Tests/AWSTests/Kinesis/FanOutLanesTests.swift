import AWS
import Testing

struct FanOutLanesTests {
    @Test func noLaneHasMoreSubscriptionsThanItIsWideAndRoomIsUsedAgain() {
        var lanes = FanOutLanes()
        let taken = (0..<120).map { _ in lanes.take() }
        let counts = Dictionary(taken.map { ($0, 1) }, uniquingKeysWith: +)
        #expect(counts == [1: 50, 2: 50, 3: 20], "lane 0 is for calls that end")
        lanes.leave(1)
        #expect(lanes.take() == 1)
        #expect(lanes.take() == 3)
    }
}

import Dataflow
import Hosts
import Testing

@Suite struct HandOverWindowTests {
    private let full = HandOverWindow.bytes + 1

    @Test func isOpenWhileLittleWaits() {
        var window = HandOverWindow(since: .zero)
        #expect(window.look(pending: 0, at: .zero) == .open)
        #expect(window.look(pending: HandOverWindow.bytes, at: .seconds(100)) == .open)
    }

    /// Slow is not stuck: rows may come as fast as others leave.
    @Test func waitsForAsLongAsSomethingLeaves() {
        var window = HandOverWindow(since: .zero)
        for step in 0..<100 {
            #expect(window.look(pending: full + 10, at: .seconds(Double(step * 20))) == .full)
            #expect(window.look(pending: full + 9, at: .seconds(Double(step * 20 + 10))) == .full)
        }
    }

    @Test func isStuckWhenNothingLeaves() {
        var window = HandOverWindow(since: .zero)
        #expect(window.look(pending: full, at: .seconds(1)) == .full)
        #expect(window.look(pending: full + 5, at: .seconds(30)) == .full)
        #expect(window.look(pending: full + 5, at: .seconds(31)) == .stuck)
    }
}

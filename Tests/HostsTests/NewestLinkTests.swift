import Hosts
import Synchronization
import TaskRuntime
import Testing

/// The link to the JobManager of a TaskManager that connects anew while the old one's end is still to come.
@Suite struct NewestLinkTests {
    private final class FakeLink: Link {
        let closed = Atomic(false)
        func send(_ bytes: [UInt8]) {}
        func close(reason: String) { closed.store(true, ordering: .relaxed) }
        var isClosed: Bool { closed.load(ordering: .relaxed) }
    }

    private func word(_ event: WorkerEvent?) -> String {
        switch event {
        case .connected?: "connected"
        case .disconnected(let reason)?: "disconnected: \(reason)"
        case nil: "nothing"
        default: "something else"
        }
    }

    @Test func theEndOfAnOlderLinkIsNotTheNewOnesEnd() {
        var newest = NewestLink()
        let (old, new) = (FakeLink(), FakeLink())
        let first = newest.ask()
        #expect(word(newest.made(old, first)) == "connected")
        // It lingers, so a new one is asked for.
        let second = newest.ask()
        #expect(old.isClosed)
        #expect(word(newest.ended(first, "lingered")) == "nothing")
        #expect(!newest.hears(first) && newest.hears(second))
        #expect(word(newest.made(new, second)) == "connected")
        #expect(word(newest.ended(first, "lingered")) == "nothing")
        #expect(!new.isClosed)
        #expect(word(newest.ended(second, "reset")) == "disconnected: reset")
    }

    @Test func aLinkThatComesTooLateIsClosedAndItsRefusalIsNotHeard() {
        var newest = NewestLink()
        let late = FakeLink()
        let first = newest.ask()
        let second = newest.ask()
        #expect(word(newest.made(late, first)) == "nothing")
        #expect(late.isClosed)
        #expect(word(newest.failed(first, "refused")) == "nothing")
        #expect(word(newest.failed(second, "refused")) == "disconnected: refused")
    }

    @Test func anEndThatIsHeardBeforeTheLinkIsHandedOverIsSaidThen() {
        var newest = NewestLink()
        let number = newest.ask()
        #expect(word(newest.ended(number, "reset")) == "nothing")
        #expect(word(newest.made(FakeLink(), number)) == "disconnected: reset")
        let next = newest.ask()
        #expect(word(newest.made(FakeLink(), next)) == "connected")
    }
}

import Dataflow
import JobControl
import Testing
import Wire

/// What the simulator found, told again by hand.
struct SimulatedFindings {
    /// The answer of a slow discovery met readers of an attempt that was being ended.
    @Test func aDiscoveryThatEndsDuringARestartGivesNothingToTheOldReaders() {
        var story = Story()
        story.isComplete = false
        story.connect("w0")
        story.submit()
        story.say("w0", .needsSplits(story.task(0)))
        // The next look takes long: its answer is not given yet.
        let now = Now(instant: story.time + .seconds(11), wallMilliseconds: 2_000_000)
        let asked = story.machine.handle(.timer, at: now).contains { if case .discover = $0 { true } else { false } }
        #expect(asked)
        story.time = now.instant
        story.obedient = []
        story.say("w0", .failed(story.task(0), StreamError(.externalSystem, retry: true, "the broker is gone")))
        #expect(story.phase == .restarting)
        story.effects = []
        let found = Discovery(splits: [Split(id: "late", label: "late", payload: [])], isComplete: false, next: .seconds(10))
        story.tell(.discovered(job: Story.job, vertex: 0, .success(found)))
        let given = story.effects.contains { if case .send(.splits, _, _) = $0 { true } else { false } }
        #expect(!given)
    }

    /// A job that restarted twice asked for a second sweep while the first was on its way, and woke itself without end until it came.
    @Test func aSecondSweepWaitsForTheFirst() {
        var draw = Draw(seed: 1)
        var collector = Collector()
        collector.wishSweep()
        let first = collector.due(at: .zero, own: nil, reached: [], prefix: "job/chk-", draw: &draw)
        #expect(first.map(\.request) == [.list(prefix: "job/chk-")])
        collector.wishSweep()
        #expect(collector.deadline == nil)
        _ = collector.stored(first[0].ticket, .listed([]), own: nil, at: .zero) { _ in false }
        #expect(collector.deadline == .zero)
        let second = collector.due(at: .zero, own: nil, reached: [], prefix: "job/chk-", draw: &draw)
        #expect(second.count == 1)
    }
}

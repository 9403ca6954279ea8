import Dataflow
import JobControl
import Simulator
import Testing

/// The simulator's own parts, in short stories.
struct PartsTests {
    @Test func whatIsDueAtOneTimeHappensInTheOrderOfAsking() {
        let timeline = Timeline()
        var seen: [String] = []
        timeline.after(.seconds(2)) { seen.append("late") }
        timeline.after(.seconds(1)) { seen.append("first") }
        timeline.after(.seconds(1)) { seen.append("second") }
        while timeline.step() {}
        #expect(seen == ["first", "second", "late"])
        #expect(timeline.time == .seconds(2))
    }

    @Test func chanceIsTheSameEverywhere() {
        var chance = Chance(seed: 1)
        #expect([chance.next(), chance.next()] == [12_966_619_160_104_079_557, 9_600_361_134_598_540_522])
        for _ in 0..<1_000 { #expect((3...5).contains(chance.int(3...5))) }
    }

    @Test func messagesOfALinkKeepTheirOrderAndNothingFollowsItsEnd() {
        let timeline = Timeline()
        let network = Network(timeline: timeline, random: Chance(seed: 7))
        var got: [UInt8] = []
        var endings = 0
        let link = Link(network: network) { _, bytes in got += bytes } ended: { _, _, _ in endings += 1 }
        for number: UInt8 in 0..<50 { link.send([number], from: .opener) }
        link.close(from: .opener, reason: "done")
        link.send([99], from: .opener)
        while timeline.step() {}
        #expect(got == Array(0..<50))
        #expect(endings == 1)
    }

    @Test func aLyingStoreMayDoWhatItSaysHasFailed() {
        let timeline = Timeline()
        let store = SimulatedStore(timeline: timeline, tally: Tally(), random: Chance(seed: 3))
        store.conditions.answerLost = 1
        var answers: [StoreAnswer] = []
        store.perform(.put(key: "HEAD", [1], .ifNoneMatch), in: nil) { answers.append($0) }
        while timeline.step() {}
        store.conditions = .healthy
        store.perform(.get(key: "HEAD"), in: nil) { answers.append($0) }
        while timeline.step() {}
        #expect(answers.count == 2)
        guard case .failed(_, mayHaveHappened: true)? = answers.first else { Issue.record("the put is answered as failed"); return }
        guard case .got([1], _)? = answers.last else { Issue.record("the put happened"); return }
    }
}

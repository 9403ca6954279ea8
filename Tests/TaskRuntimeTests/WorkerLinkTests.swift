import Dataflow
import TaskRuntime
import Testing
import Wire

@Suite struct WorkerLinkTests {
    private let leave = Leave(reason: "SIGTERM", milliseconds: 25_000)

    @Test func connectsAndRegisters() {
        var story = WorkerStory()
        #expect(story.on(.timer) == ["connect"])
        #expect(story.on(.connected) == ["send register []"])
        #expect(story.hears(.registered(heartbeatMilliseconds: 1000, timeoutMilliseconds: 4000)) == [])
        #expect(story.machine.isRegistered)
    }

    @Test func pausesGrowWhileNobodyAnswers() {
        var story = WorkerStory()
        _ = story.on(.timer, at: 0)
        #expect(story.on(.disconnected(reason: "refused"), at: 0) == [])
        #expect(story.on(.timer, at: 99) == [])
        #expect(story.on(.timer, at: 100) == ["connect"])
        #expect(story.on(.disconnected(reason: "refused"), at: 100) == [])
        #expect(story.on(.timer, at: 299) == [])
        #expect(story.on(.timer, at: 300) == ["connect"])
    }

    @Test func asksToBeWokenWhenSomethingIsDue() {
        var story = WorkerStory()
        _ = story.on(.timer, at: 0)
        let wakes = story.effects(of: .disconnected(reason: "refused"), at: 0).compactMap { if case .wake(let at) = $0 { at } else { nil } }
        #expect(wakes == [.milliseconds(100)])
    }

    @Test func aBrokenLinkIsMadeAgainAtOnceAndTheRunningTasksAreListed() {
        var story = WorkerStory.running()
        #expect(story.on(.disconnected(reason: "reset"), at: 500) == ["connect"])
        #expect(story.on(.connected, at: 501) == ["send register [\"0/0#1\", \"1/0#1\"]"])
    }

    @Test func eachHeartbeatIsAnsweredOnce() {
        var story = WorkerStory()
        _ = story.register()
        #expect(story.hears(.heartbeat(sequence: 7)) == ["send heartbeat 7"])
        #expect(story.hears(.heartbeat(sequence: 7)) == [])
        #expect(story.hears(.heartbeat(sequence: 8)) == ["send heartbeat 8"])
    }

    @Test func silenceOfTheJobManagerEndsTheLinkButNotTheTasks() {
        var story = WorkerStory.running()
        #expect(story.on(.timer, at: 3999) == [])
        #expect(story.on(.timer, at: 4000) == ["disconnect"])
        #expect(story.on(.disconnected(reason: "closed"), at: 4001) == ["connect"])
        #expect(story.machine.running.count == 2)
    }

    @Test func aLinkWhoseEndIsNeverReportedIsGivenUp() {
        var story = WorkerStory.running()
        _ = story.on(.timer, at: 4000)
        #expect(story.on(.timer, at: 5999) == [])
        #expect(story.on(.timer, at: 6000) == ["connect"])
    }

    /// A pause of the JobManager that it would forgive a TaskManager costs no restart.
    @Test func theJobManagersTimeoutSaysWhenTheLinkIsGivenUp() {
        var story = WorkerStory()
        _ = story.on(.timer) + story.on(.connected) + story.hears(.registered(heartbeatMilliseconds: 1000, timeoutMilliseconds: 60_000))
        #expect(story.on(.timer, at: 59_999) == [])
        #expect(story.on(.timer, at: 60_000) == ["disconnect"])
    }

    @Test func nothingIsCommittedForALeaderThatWasSilent() {
        var story = WorkerStory.running()
        let commit = LeaderMessage.commit(job: job, checkpoint: 1, [.init(vertex: 1, committable: Committable(id: "c", payload: []))])
        #expect(story.hears(commit, at: 2500) == [])
        #expect(story.hears(commit, at: 2600) == ["commit 1: [\"c\"]"])
    }

    @Test func messagesOfAnOlderEpochAreRefused() {
        var story = WorkerStory.running()
        #expect(story.hears(.heartbeat(sequence: 1), epoch: 3) == ["send heartbeat 1"])
        #expect(story.hears(.cancel(job: job, attempt: 1), epoch: 2) == [])
        #expect(story.hears(.cancel(job: job, attempt: 1), epoch: 3) == ["remove 1"])
    }

    @Test func anOlderLeaderCannotRegisterIt() {
        var story = WorkerStory.running()
        _ = story.hears(.heartbeat(sequence: 1), epoch: 3)
        _ = story.on(.disconnected(reason: "reset"))
        _ = story.on(.connected)
        #expect(story.hears(.registered(heartbeatMilliseconds: 1000, timeoutMilliseconds: 4000), epoch: 2) == [])
        #expect(!story.machine.isRegistered)
    }

    @Test func aRefusalEndsTheProcess() {
        var story = WorkerStory()
        _ = story.on(.timer)
        _ = story.on(.connected)
        #expect(story.hears(.refused(reason: "version")) == ["exit 1"])
        #expect(story.on(.timer, at: 10_000) == [])
    }

    @Test func whoIsTurnedAwaySaysWhyOnceAndTriesAgain() {
        var story = WorkerStory()
        var warnings: [String] = []
        var tries = 0
        for time in stride(from: Int64(0), to: 20_000, by: 100) {
            guard story.on(.timer, at: time).contains("connect") else { continue }
            tries += 1
            let events: [WorkerEvent] = [.connected, .message(.turnedAway(reason: "its name is in use"), epoch: 1), .disconnected(reason: "the other side closed it")]
            for event in events {
                for case .log("WARN", _, let message) in story.effects(of: event, at: time) { warnings.append(message) }
            }
        }
        #expect(tries > 2)
        #expect(warnings == ["The JobManager does not register this TaskManager now, it is tried again: its name is in use"])
    }

    @Test func withoutAnyJobManagerItEndsInTheEnd() {
        var story = WorkerStory()
        var time: Int64 = 0
        var said: [String] = []
        while time < 310_000, !said.contains("exit 1") {
            said = story.on(.timer, at: time) + story.on(.disconnected(reason: "refused"), at: time)
            time += 1000
        }
        #expect(said.contains("exit 1"))
        #expect((300_000...302_000).contains(time))
    }

    @Test func toldToEndItLeavesWhenItsTasksAreGone() {
        var story = WorkerStory.running()
        #expect(story.on(.leave(leave)) == ["send leaving"])
        #expect(story.hears(.deploy(WorkerStory.deployment(2))).first?.contains("leaving") == true)
        #expect(story.hears(.cancel(job: job, attempt: 1)) == ["remove 1"])
        #expect(story.on(.removed(job: job, attempt: 1)) == ["send stopped 1", "exit 0"])
    }

    @Test func toldToEndItDoesNotWaitForEver() {
        var story = WorkerStory.running()
        _ = story.on(.leave(leave), at: 0)
        var said: [String] = []
        for second in 1...25 {
            said += story.hears(.heartbeat(sequence: UInt64(second)), at: Int64(second) * 1000)
        }
        #expect(said.last == "exit 0")
        #expect(said.filter { $0 == "exit 0" }.count == 1)
    }

    @Test func withNothingToDoItEndsAtOnce() {
        var story = WorkerStory()
        _ = story.register()
        #expect(story.on(.leave(leave)) == ["send leaving", "exit 0"])
    }

    @Test func drainedItStays() {
        var story = WorkerStory.running()
        #expect(story.hears(.leave(Leave(reason: "drain", milliseconds: 1_000, ends: false))).contains("send leaving"))
        #expect(story.hears(.cancel(job: job, attempt: 1)) == ["remove 1"])
        #expect(story.on(.removed(job: job, attempt: 1)) == ["send stopped 1"])
        #expect(story.on(.leave(leave)) == ["send leaving", "exit 0"])
    }

    @Test func theShortestTimeCounts() {
        var story = WorkerStory.running()
        #expect(story.on(.leave(leave), at: 0) == ["send leaving"])
        #expect(story.on(.leave(Leave(reason: "later", milliseconds: 60_000)), at: 10) == [])
        #expect(story.on(.leave(Leave(reason: "sooner", milliseconds: 1_000)), at: 20) == ["send leaving"])
        #expect(story.on(.timer, at: 1_100).last == "exit 0")
    }

    @Test func theTimeOfARecommendationIsNotThatOfTheEnd() {
        var story = WorkerStory.running()
        #expect(story.on(.leave(Leave(reason: "recommended", milliseconds: 1_000, ends: false)), at: 0) == ["send leaving"])
        #expect(story.on(.leave(leave), at: 1_500) == ["send leaving"])
        #expect(story.on(.leave(Leave(reason: "recommended again", milliseconds: 1_000, ends: false)), at: 1_600) == [])
        #expect(!story.on(.timer, at: 3_500).contains("exit 0"))
    }
}

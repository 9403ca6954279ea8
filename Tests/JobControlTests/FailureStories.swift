import Dataflow
import JobControl
import Testing
import Wire

struct FailureStories {
    private let bad = StreamError(.externalSystem, retry: true, "broker gone")

    @Test func theLossOfATaskManagerRestartsAtOnceOnAnother() {
        var story = Story.running(workers: 2, parallelism: 1)
        story.wait(.milliseconds(1500))
        let holder = story.lastLayout(Story.job)!.vertices[0].slots[0]!.worker.description
        story.forget()
        story.lose(holder)
        #expect(story.phase == .running)
        #expect(story.view.restarts == 1)
        let deployment = story.sent.compactMap { if case .deploy(let deployment) = $0 { deployment } else { nil } }.last
        #expect(deployment?.layout.attempt == 2)
        #expect(deployment?.restore?.checkpoint == 1)
        #expect(story.log.contains("Restoring job \(Story.job) from Checkpoint 1"))
        #expect(story.log.contains("switched from state RUNNING to RESTARTING."))
        // Both times that it ran are known, not the last one alone.
        let course = story.view.course
        #expect(course.map(\.status).suffix(4) == [.created, .running, .restarting, .running])
        #expect(course.last?.at == story.view.timestamps[.running] && course.map(\.at) == course.map(\.at).sorted())
    }

    @Test func withoutSlotsItWaitsForThem() {
        var story = Story.running()
        story.lose("w0")
        #expect(story.phase == .waitingForSlots)
        #expect(story.view.status == .restarting)
        story.wait(.seconds(2))
        story.connect("w1")
        #expect(story.phase == .running)
    }

    @Test func twoLostAtOnceAreOneRestart() {
        var story = Story.running(workers: 4, parallelism: 3)
        story.obedient = []
        let holders = story.lastLayout(Story.job)!.workers.map(\.description)
        story.lose(holders[0])
        story.lose(holders[1])
        #expect(story.view.restarts == 1)
        #expect(story.view.failures.count == 1)
        #expect(story.view.failures[0].concurrent.count == 1)
    }

    @Test func aTaskThatFailsIsRestartedAfterTheDelay() {
        var story = Story.running()
        story.say("w0", .failed(story.task(1), bad))
        #expect(story.phase == .restarting)
        story.wait(.milliseconds(1900))
        #expect(story.phase == .restarting)
        story.wait(.milliseconds(200))
        #expect(story.phase == .running)
        #expect(story.attempt == 2)
        #expect(story.view.failure == "Sink: out (1/1): broker gone")
        #expect(story.view.failures[0].error.kind == .externalSystem)
    }

    @Test func whatWouldFailAgainEndsTheJobAtOnceAndItsCheckpointStays() {
        var story = Story.running()
        story.wait(.milliseconds(1500))
        story.say("w0", .failed(story.task(1), StreamError(.user, retry: false, "row 7 is no JSON")))
        #expect(story.view.status == .failed)
        #expect(story.view.restarts == 0)
        #expect(story.log.contains("mend it, then start from the last checkpoint"))
        #expect(story.keys().contains("\(Story.job)/chk-1/_metadata"))
    }

    @Test func theCauseThatIsNoticedSecondEndsTheWait() {
        var story = Story.running(workers: 3, parallelism: 2)
        let layout = story.lastLayout(Story.job)!
        let lost = layout.vertices[0].slots[0]!.worker.description
        let witness = layout.vertices[0].slots[1]!.worker.description
        story.say(witness, .failed(story.task(1, 1), StreamError(.connection, retry: true, "peer is gone")))
        #expect(story.phase == .restarting)
        story.lose(lost)
        #expect(story.phase == .running)
        #expect(story.view.restarts == 1)
    }

    @Test func failuresOfOlderAttemptsAreRefused() {
        var story = Story.running()
        let old = story.task(0)
        story.say("w0", .failed(old, bad))
        story.wait(.seconds(3))
        story.say("w0", .failed(old, bad))
        #expect(story.phase == .running)
        #expect(story.view.restarts == 1)
    }

    @Test func slotsOfACancelledAttemptAreFreeOnlyWhenItStopped() {
        var story = Story.running()
        story.obedient = []
        story.say("w0", .failed(story.task(0), bad))
        story.wait(.seconds(10))
        #expect(story.phase == .restarting)
        #expect(story.machine.view.freeSlots == 0)
        story.obedient = ["w0"]
        story.say("w0", .stopped(job: Story.job, attempt: 1))
        #expect(story.phase == .running)
    }

    @Test func theStrategyGivesUpAtItsLimit() {
        var story = Story.running()
        for _ in 0..<4 {
            #expect(story.phase == .running)
            story.say("w0", .failed(story.task(0), bad))
            story.wait(.seconds(3))
        }
        #expect(story.view.status == .failed)
        #expect(story.log.contains("the fixed-delay strategy allows 3 restarts"))
        #expect(story.machine.view.freeSlots == 1)
    }

    @Test func aTaskManagerThatComesBackMustFirstDropItsTasks() {
        var story = Story.running()
        story.lose("w0")
        story.forget()
        story.connect("w0", obeys: false, running: [story.task(0, attempt: 1)])
        #expect(story.sent(to: "w0").contains(.cancel(job: Story.job, attempt: 1)))
        #expect(story.phase == .waitingForSlots)
        story.obedient = ["w0"]
        story.say("w0", .stopped(job: Story.job, attempt: 1))
        #expect(story.phase == .running)
        #expect(story.attempt == 2)
    }

    @Test func whatWasPlacedThereIsOwedEvenIfItSaysNothing() {
        var story = Story.running()
        story.lose("w0")
        story.forget()
        story.connect("w0", obeys: false)
        #expect(story.sent(to: "w0").contains(.cancel(job: Story.job, attempt: 1)))
        #expect(story.phase == .waitingForSlots)
    }

    @Test func aSecondConnectionReplacesTheFirst() {
        var story = Story.running()
        let old = story.connections["w0"]!
        story.forget()
        story.connect("w0", running: [story.task(0)])
        #expect(story.effects.contains { if case .close(old, _) = $0 { true } else { false } })
        #expect(story.phase == .running)
        #expect(story.attempt == 2)
        story.forget()
        story.tell(.message(.failed(story.task(0), bad), from: old))
        #expect(story.phase == .running)
        #expect(story.effects.contains { if case .close(old, _) = $0 { true } else { false } })
        story.tell(.disconnected(old, reason: "closed"))
        #expect(story.phase == .running)
    }

    @Test func jobsMoveAwayFromATaskManagerThatLeaves() {
        var story = Story.running(workers: 2, parallelism: 1)
        let holder = story.lastLayout(Story.job)!.vertices[0].slots[0]!.worker.description
        story.say(holder, .leaving(Leave(reason: "SIGTERM", milliseconds: 25_000)))
        story.wait(.milliseconds(200))
        #expect(story.phase == .running)
        #expect(story.view.restarts == 0)
        #expect(story.lastLayout(Story.job)!.vertices[0].slots[0]!.worker.description != holder)
        #expect(story.view.failures.isEmpty)
    }

    @Test(arguments: ["waitingForSlots", "publishingLayout", "deploying", "running", "restarting", "finishing", "ending"])
    func aWorkerMayBeLostInEveryState(state: String) {
        var story = Story()
        let options = Story.options(interval: nil)
        story.connect("w0")
        switch state {
        case "waitingForSlots":
            var wide = options
            wide.parallelism = 2
            story.submit(wide)
        case "publishingLayout":
            story.storeAnswers = false
            story.submit(options)
            while story.phase?.rawValue != state, let (ticket, store, request) = story.nextAsked() { story.answer(ticket, store, request) }
        case "deploying":
            story.obedient = []
            story.submit(options)
        case "running": story.submit(options)
        case "restarting":
            story.submit(options)
            story.obedient = []
            story.say("w0", .failed(story.task(0), bad))
        case "finishing", "ending":
            story.submit(options)
            story.committables[SubtaskID(vertex: 1, index: 0)] = ["f"]
            story.obedient = []
            story.say("w0", .ended(story.task(0)))
            story.say("w0", .ended(story.task(1)))
            story.acknowledge("w0", attempt: 1, 1, folder: "\(Story.job)/chk-1")
            if state == "ending" { story.request(.cancel(Story.job)) }
        default: break
        }
        #expect(story.phase?.rawValue == state)
        story.lose("w0")
        story.storeAnswers = true
        story.answerAll()
        story.connect("w1")
        story.connect("w2")
        story.wait(.seconds(5))
        if state == "ending" {
            #expect(story.view.status == .cancelled)
        } else {
            #expect(story.phase == .running)
        }
    }

    @Test func afterALossWhileFinishingTheJobFinishesElsewhere() {
        var story = Story.running(Story.options(interval: nil))
        story.committables[SubtaskID(vertex: 1, index: 0)] = ["f"]
        story.obedient = []
        for vertex in 0..<2 { story.say("w0", .ended(story.task(vertex))) }
        story.acknowledge("w0", attempt: 1, 1, folder: "\(Story.job)/chk-1")
        story.lose("w0")
        story.committables = [:]
        story.connect("w1")
        #expect(story.sent(to: "w1").contains { if case .commit = $0 { true } else { false } })
        for vertex in 0..<2 { story.say("w1", .ended(story.task(vertex))) }
        #expect(story.view.status == .finished)
        #expect(story.view.uncommitted == 0)
    }

    @Test func aCommitThatCanNeverHappenFailsTheJob() {
        var story = Story.running()
        story.say("w0", .commitFailed(job: Story.job, checkpoint: 1, StreamError(.externalSystem, retry: true, "busy")))
        #expect(story.phase == .running)
        story.say("w0", .commitFailed(job: Story.job, checkpoint: 1, StreamError(.externalSystem, retry: false, "the file is gone")))
        #expect(story.phase == .restarting)
    }
}

struct RestartPolicyStories {
    private func delays(_ strategy: JobOptions.RestartStrategy, at times: [Double], isWorkerLoss: Bool = false) -> [RestartPolicy.Answer] {
        var policy = RestartPolicy(strategy)
        var draw = Draw(seed: 1)
        return times.map { policy.failed(at: .seconds($0), isWorkerLoss: isWorkerLoss, draw: &draw) }
    }

    @Test func exponentialDelaysGrowUpToTheirMaximumAndFallBackAfterAQuietTime() {
        let strategy = JobOptions.RestartStrategy.exponentialDelay(
            initial: .seconds(1), maximum: .seconds(5), multiplier: 2, resetAfter: .seconds(100), jitter: 0, attempts: .max)
        #expect(
            delays(strategy, at: [0, 10, 20, 30, 500])
                == [1, 2, 4, 5, 1].map { RestartPolicy.Answer.restart(after: .seconds($0)) })
    }

    @Test func jitterStaysWithinItsFactor() {
        let strategy = JobOptions.RestartStrategy.exponentialDelay(
            initial: .seconds(10), maximum: .seconds(60), multiplier: 1, resetAfter: .seconds(1000), jitter: 0.1, attempts: .max)
        for answer in delays(strategy, at: (0..<100).map(Double.init)) {
            guard case .restart(let delay) = answer else { return #expect(Bool(false), "restart") }
            #expect(delay >= .seconds(9) && delay <= .seconds(11))
        }
    }

    @Test func theFailureRateLooksAtItsIntervalOnly() {
        let strategy = JobOptions.RestartStrategy.failureRate(maximum: 2, interval: .seconds(10), delay: .seconds(1))
        let spread = delays(strategy, at: [0, 6, 12, 18, 24])
        #expect(spread.allSatisfy { $0 == .restart(after: .seconds(1)) })
        guard case .giveUp? = delays(strategy, at: [0, 1, 2]).last else { return #expect(Bool(false), "gives up") }
    }

    @Test func noneNeverRestarts() {
        guard case .giveUp? = delays(.none, at: [0]).first else { return #expect(Bool(false), "gives up") }
    }

    @Test func aWorkerLossCostsAnAttemptAndNoTime() {
        let strategy = JobOptions.RestartStrategy.fixedDelay(attempts: 2, delay: .seconds(9))
        let answers = delays(strategy, at: [0, 1, 2], isWorkerLoss: true)
        #expect(answers.prefix(2) == [.restart(after: .zero), .restart(after: .zero)])
        guard case .giveUp? = answers.last else { return #expect(Bool(false), "gives up") }
    }
}

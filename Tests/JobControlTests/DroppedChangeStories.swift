import Dataflow
import JobControl
import Testing
import Wire

/// Planned changes that cannot be: before their barrier they leave no trace, after it they use up no restart attempt.
@Suite struct DroppedChangeStories {
    /// Two tasks that run on two of `workers`; `leaver` is told to go, `stayer` prepares nothing by itself.
    private struct Leaving {
        var story: Story
        let layout: Layout
        let stayer: String
        let leaver: String
        /// The TaskManager that the change would put tasks on.
        var joiner: String

        init(workers: Int = 4, milliseconds: Int64 = 25_000, storeAnswers: Bool = true) {
            story = Story.running(LayoutStories.options(), workers: workers, parallelism: 2)
            layout = story.lastLayout(Story.job)!
            (stayer, leaver) = (layout.vertices[0].slots[0]!.worker.description, layout.vertices[0].slots[1]!.worker.description)
            story.obedient.remove(stayer)
            story.storeAnswers = storeAnswers
            joiner = ""
            story.say(leaver, .leaving(Leave(reason: "SIGTERM", milliseconds: milliseconds)))
            story.wait(.milliseconds(100))
            joiner = story.changes.last?.layout.workers.map(\.description).first { ![stayer, leaver].contains($0) } ?? ""
        }

        var dropped: UInt32 { layout.attempt + 1 }

        mutating func obey() {
            story.obedient.insert(stayer)
            if story.sent(to: stayer).contains(.withdraw(job: Story.job, attempt: dropped)) {
                story.say(stayer, .withdrawn(job: Story.job, attempt: dropped))
            }
            story.wait(.milliseconds(100))
        }

        /// The job has gone on without a restart, and has moved in the end.
        func expectMoved(without gone: String) {
            let next = story.lastLayout(Story.job)!
            #expect(story.phase == .running && story.view.restarts == 0 && story.view.failures.isEmpty)
            #expect(next.attempt == dropped + 1 && next.epoch == layout.epoch + 2)
            #expect(!next.workers.map(\.description).contains(leaver) && !next.workers.map(\.description).contains(gone))
            #expect(!story.sent.contains { if case .cancel = $0 { true } else { false } })
            #expect(story.view.layoutChanges == 1)
        }
    }

    @Test func theLossOfATaskManagerThatOnlyJoinsDropsTheChange() {
        var leaving = Leaving()
        leaving.story.lose(leaving.joiner)
        #expect(leaving.story.sent(to: leaving.stayer).contains(.withdraw(job: Story.job, attempt: leaving.dropped)))
        #expect(leaving.story.changes.allSatisfy { $0.layout.attempt == leaving.dropped })
        // What was said of the dropped one means nothing; the next is planned when all have taken theirs back.
        leaving.story.say(leaving.stayer, .prepared(job: Story.job, attempt: leaving.dropped))
        leaving.story.say(leaving.stayer, .copied(job: Story.job, attempt: leaving.dropped))
        leaving.story.wait(.milliseconds(100))
        #expect(leaving.story.changes.allSatisfy { $0.layout.attempt == leaving.dropped } && leaving.story.triggered.isEmpty)
        leaving.obey()
        leaving.expectMoved(without: leaving.joiner)
    }

    @Test func aNoticeOnANewOwnerIsTakenIntoTheNextPlan() {
        var leaving = Leaving()
        leaving.story.say(leaving.joiner, .leaving(Leave(reason: "SIGTERM", milliseconds: 25_000)))
        leaving.obey()
        leaving.expectMoved(without: leaving.joiner)
    }

    /// Nobody was told: the slots are free at once, and HEAD comes to say what is planned now, whatever becomes of the first put.
    @Test func aNoticeOnANewOwnerBeforeHeadHoldsThePlanTellsNobody() {
        var leaving = Leaving(storeAnswers: false)
        #expect(leaving.story.changes.isEmpty)
        let others = ["w0", "w1", "w2", "w3"].filter { ![leaving.stayer, leaving.leaver].contains($0) }
        for other in others.dropLast() { leaving.story.say(other, .leaving(Leave(reason: "SIGTERM", milliseconds: 25_000))) }
        leaving.story.wait(.milliseconds(100))
        // The outcome of the first put is unknown, and it did happen.
        let put = leaving.story.nextAsked()!
        _ = leaving.story.perform(put.store, put.request)
        leaving.story.tell(.stored(put.ticket, .failed("timeout", mayHaveHappened: true)))
        leaving.story.storeAnswers = true
        leaving.story.obedient.insert(leaving.stayer)
        leaving.story.answerAll()
        leaving.obey()
        #expect(leaving.story.changes.allSatisfy { $0.layout.workers.map(\.description).contains(others.last!) })
        #expect(leaving.story.phase == .running && leaving.story.view.restarts == 0 && leaving.story.view.layoutChanges == 1)
    }

    /// What is dropped is taken back in moments: even with little time that is no reason to restart.
    @Test func whoHasLittleTimeWaitsForADroppedChangeToBeTakenBack() {
        var leaving = Leaving(milliseconds: 1_500)
        leaving.story.say(leaving.joiner, .leaving(Leave(reason: "SIGTERM", milliseconds: 25_000)))
        #expect(leaving.story.phase == .running)
        leaving.obey()
        leaving.expectMoved(without: leaving.joiner)
    }

    @Test func aTaskManagerThatCannotMakeItsTasksIsAvoided() {
        let leaving = Leaving()
        expectJoinerAvoided(leaving, said: leaving.joiner, StreamError(.externalSystem, retry: true, "its disk is full"))
    }

    @Test func whomAStayerCannotReachIsAvoided() {
        let leaving = Leaving()
        expectJoinerAvoided(leaving, said: leaving.stayer, StreamError(.connection, retry: true, "no data connection to \(leaving.joiner)"))
    }

    private func expectJoinerAvoided(_ leaving: Leaving, said speaker: String, _ error: StreamError) {
        var leaving = leaving
        leaving.story.say(speaker, .cannotChange(job: Story.job, attempt: leaving.dropped, error))
        leaving.obey()
        leaving.story.wait(.seconds(2))
        leaving.expectMoved(without: leaving.joiner)
    }

    /// Of two that join the other one is asked again.
    @Test func onlyWhoIsNamedIsAvoided() {
        var story = Story.running(LayoutStories.options(), workers: 3, parallelism: 3)
        for name in ["w3", "w4"] { story.connect(name) }
        let layout = story.lastLayout(Story.job)!
        story.obedient.remove("w0")
        for name in ["w1", "w2"] { story.say(name, .leaving(Leave(reason: "SIGTERM", milliseconds: 25_000))) }
        story.wait(.milliseconds(100))
        #expect(story.changes.last?.layout.workers.map(\.description) == ["w0", "w3", "w4"])
        let error = StreamError(.connection, retry: true, "no data connection", unreachable: WorkerID("w3"))
        story.say("w0", .cannotChange(job: Story.job, attempt: layout.attempt + 1, error))
        story.obedient.insert("w0")
        story.say("w0", .withdrawn(job: Story.job, attempt: layout.attempt + 1))
        story.connect("w5")
        story.wait(.seconds(2))
        #expect(story.lastLayout(Story.job)!.workers.map(\.description) == ["w0", "w4", "w5"])
        #expect(story.view.restarts == 0 && story.view.layoutChanges == 1)
    }

    /// Each plan is a write of HEAD: whoever has little time does not try without end what cannot be.
    @Test func changesThatCannotBeAreNotPlannedWithoutPauseWhenTimeIsShort() {
        var story = Story.running(LayoutStories.options(), workers: 6, parallelism: 2)
        let layout = story.lastLayout(Story.job)!
        let (stayer, leaver) = (layout.vertices[0].slots[0]!.worker.description, layout.vertices[0].slots[1]!.worker.description)
        story.obedient.remove(stayer)
        story.say(leaver, .leaving(Leave(reason: "SIGTERM", milliseconds: 25_000)))
        var dropped: Set<UInt32> = []
        for _ in 0..<500 where story.phase == .running {
            story.wait(.milliseconds(50))
            for case .change(let change) in story.sent(to: stayer) where dropped.insert(change.layout.attempt).inserted {
                story.say(stayer, .cannotChange(job: Story.job, attempt: change.layout.attempt, StreamError(.connection, retry: true, "no way anywhere")))
                story.say(stayer, .withdrawn(job: Story.job, attempt: change.layout.attempt))
            }
        }
        #expect((2...8).contains(dropped.count))
    }

    @Test func aJobBeginsWithoutWhomOthersCannotReachWhereThereIsRoom() {
        var story = Story()
        for name in ["w0", "w1", "w2"] { story.connect(name, obeys: false) }
        var options = LayoutStories.options()
        options.parallelism = 2
        story.submit(options)
        let layout = story.lastLayout(Story.job)!
        let (reaches, unreachable) = (layout.workers[0], layout.workers[1])
        for name in ["w0", "w1", "w2"] { story.obedient.insert(name) }
        let task = layout.task(layout.subtasks(on: reaches)[0], of: Story.job)
        story.say(reaches.description, .failed(task, StreamError(.connection, retry: true, "no data connection", unreachable: unreachable)))
        for worker in layout.workers { story.say(worker.description, .stopped(job: Story.job, attempt: layout.attempt)) }
        story.wait(.seconds(3))
        #expect(story.phase == .running && story.view.restarts == 1)
        #expect(!story.lastLayout(Story.job)!.workers.contains(unreachable))
        // There is nobody else: then it is tried.
        story.lose(reaches.description)
        story.wait(.seconds(3))
        #expect(story.lastLayout(Story.job)!.workers.contains(unreachable))
    }

    @Test func whoNeverPreparesAChangeHoldsItUpNoLongerThanACheckpoint() {
        var options = LayoutStories.options(reactive: true)
        options.checkpointTimeout = .seconds(20)
        var story = Story()
        for name in ["w0", "w1"] { story.connect(name) }
        story.submit(options)
        story.wait(.seconds(3))
        let before = story.lastLayout(Story.job)!
        story.connect("w9", obeys: false)
        story.wait(.seconds(18))
        #expect(story.changes.last?.layout.workers.count == 3 && story.triggered.isEmpty)
        story.wait(.seconds(4))
        #expect(story.sent(to: "w9").contains(.withdraw(job: Story.job, attempt: before.attempt + 1)))
        #expect(story.log.contains("it was not prepared within"))
        story.obedient.insert("w9")
        story.say("w9", .withdrawn(job: Story.job, attempt: before.attempt + 1))
        #expect(story.lastLayout(Story.job) == before && story.phase == .running && story.view.restarts == 0)
        // It is avoided for a while.
        story.wait(.seconds(30))
        #expect(story.lastLayout(Story.job)?.workers.count == 3 && story.view.restarts == 0)
    }

    @Test func aTaskThatFailsBeforeItsBarrierIsNoFailureOfTheJob() {
        var leaving = Leaving()
        let begins = leaving.story.changes.last!.layout.tasks(of: Story.job).first { $0.attempt == leaving.dropped }!
        leaving.story.say(leaving.joiner, .failed(begins, StreamError(.connection, retry: true, "it is leaving")))
        leaving.obey()
        leaving.story.wait(.seconds(2))
        leaving.expectMoved(without: leaving.joiner)
        leaving.story.say(leaving.joiner, .failed(begins, StreamError(.connection, retry: true, "it is leaving")))
        #expect(leaving.story.phase == .running)
    }

    @Test func aSurvivorsLossIsAFailureAsEver() {
        var leaving = Leaving()
        leaving.story.lose(leaving.stayer)
        #expect(leaving.story.view.failures.count == 1)
        leaving.story.wait(.seconds(5))
        #expect(leaving.story.phase == .running && leaving.story.view.restarts == 1)
    }

    /// Who is cancelled while something of a dropped change is still there has it ended with all else.
    @Test func aFailureWhileADroppedChangeIsTakenBackWaitsForAll() {
        var leaving = Leaving()
        let joiner = leaving.joiner
        leaving.story.obedient = []
        leaving.story.say(leaving.stayer, .cannotChange(job: Story.job, attempt: leaving.dropped, StreamError(.connection, retry: true, "no way there")))
        leaving.story.forget()
        leaving.story.say(leaving.stayer, .failed(leaving.layout.task(SubtaskID(vertex: 0, index: 0), of: Story.job), StreamError(.internal, retry: true, "x")))
        for name in [joiner, leaving.stayer, leaving.leaver] { #expect(leaving.story.sent(to: name).contains(.cancel(job: Story.job, attempt: leaving.dropped))) }
        for name in [leaving.stayer, leaving.leaver] { leaving.story.say(name, .stopped(job: Story.job, attempt: leaving.dropped)) }
        leaving.story.wait(.seconds(3))
        #expect(leaving.story.phase == .restarting)
        leaving.story.obedient = ["w0", "w1", "w2", "w3"]
        leaving.story.say(joiner, .stopped(job: Story.job, attempt: leaving.dropped))
        leaving.story.wait(.seconds(1))
        #expect(leaving.story.phase == .running)
        #expect(leaving.story.lastLayout(Story.job)!.attempt == leaving.dropped + 1)
    }

    @Test func aNewJobManagerGivesNoEpochTwice() {
        var leaving = Leaving()
        leaving.story.lose(leaving.joiner)
        let bytes = leaving.story.objects["/chk"]!["\(Story.job)/HEAD"]!.bytes
        let head = SealedJSON.decode(Head.self, bytes)
        #expect(head?.planned == nil && head?.droppedEpoch == leaving.layout.epoch + 1 && head?.attempt == leaving.dropped)
        var next = Story(seed: 2)
        next.objects = leaving.story.objects
        for name in ["w7", "w8"] { next.connect(name) }
        var options = LayoutStories.options()
        options.parallelism = 2
        next.submit(options)
        #expect(next.lastLayout(Story.job)!.epoch == leaving.layout.epoch + 2)
        #expect(next.lastLayout(Story.job)!.attempt == leaving.dropped + 1)
    }

    @Test func whoLeavesDoesNotWaitForAChangeUntilItIsTooLateForACheckpoint() {
        var leaving = Leaving()
        leaving.story.wait(.seconds(21))
        #expect(leaving.story.triggered.isEmpty)
        leaving.story.wait(.seconds(1))
        // One by one: who prepared nothing acknowledges all the same.
        leaving.story.say(leaving.stayer, .withdrawn(job: Story.job, attempt: leaving.dropped))
        #expect(leaving.story.sent(to: leaving.stayer).contains(.withdraw(job: Story.job, attempt: leaving.dropped)))
        let checkpoint = leaving.story.triggered.last!
        leaving.story.obedient.insert(leaving.stayer)
        leaving.story.acknowledge(leaving.stayer, attempt: leaving.layout.attempt, checkpoint, folder: "\(Story.job)/chk-\(checkpoint)")
        leaving.story.wait(.seconds(2))
        #expect(leaving.story.view.restarts == 1 && leaving.story.view.failures.isEmpty)
        #expect(leaving.story.view.checkpoints.restored?.checkpoint == checkpoint)
        #expect(leaving.story.phase == .running)
    }

    // MARK: After the barrier

    @Test func aFailedUploadOfTheChangesCheckpointIsTriedAgainAndRestartsNothing() {
        var leaving = Leaving()
        let job = Story.job, attempt = leaving.layout.attempt
        leaving.story.say(leaving.stayer, .prepared(job: job, attempt: leaving.dropped))
        let checkpoint = leaving.story.triggered.last!
        leaving.story.settle(leaving.stayer)
        leaving.story.forget()
        leaving.story.say(leaving.stayer, .declined(job: job, attempt: attempt, checkpoint: checkpoint, reason: "503"))
        leaving.story.wait(.milliseconds(300))
        func folders() -> [String] {
            leaving.story.sent(to: leaving.stayer).compactMap { if case .trigger(_, _, let barrier, let folder, _) = $0, barrier.checkpoint == checkpoint { folder } else { nil } }
        }
        #expect(folders() == ["\(job)/chk-\(checkpoint)/again-1"])
        leaving.story.say(leaving.stayer, .declined(job: job, attempt: attempt, checkpoint: checkpoint, reason: "503"))
        leaving.story.wait(.milliseconds(300))
        #expect(folders().last == "\(job)/chk-\(checkpoint)/again-2" && leaving.story.view.layoutChanges == 0)
        leaving.story.obedient.insert(leaving.stayer)
        leaving.story.acknowledge(leaving.stayer, attempt: attempt, checkpoint, folder: folders().last!)
        leaving.story.wait(.milliseconds(100))
        #expect(leaving.story.view.layoutChanges == 1 && leaving.story.view.restarts == 0 && leaving.story.phase == .running)
        #expect(leaving.story.view.checkpoints.history.last?.id == checkpoint)
    }

    @Test func aManifestOfAChangeIsPutUntilTheStoreIsBack() {
        var leaving = Leaving()
        leaving.story.storeAnswers = false
        leaving.story.say(leaving.stayer, .prepared(job: Story.job, attempt: leaving.dropped))
        let checkpoint = leaving.story.triggered.last!
        leaving.story.settle(leaving.stayer)
        leaving.story.acknowledge(leaving.stayer, attempt: leaving.layout.attempt, checkpoint, folder: "\(Story.job)/chk-\(checkpoint)")
        for _ in 0..<20 {
            while let (ticket, _, _) = leaving.story.nextAsked() { leaving.story.tell(.stored(ticket, .failed("503", mayHaveHappened: false))) }
            leaving.story.wait(.seconds(1))
        }
        #expect(leaving.story.view.restarts == 0)
        leaving.story.storeAnswers = true
        leaving.story.obedient.insert(leaving.stayer)
        leaving.story.answerAll()
        leaving.story.wait(.seconds(11))
        #expect(leaving.story.view.layoutChanges == 1 && leaving.story.view.restarts == 0)
    }

    @Test(arguments: [true, false]) func whatAChangeBringsDownUsesUpNoAttempt(wasAnnounced: Bool) {
        var options = LayoutStories.options()
        options.restart = .fixedDelay(attempts: 0, delay: .seconds(2))
        options.checkpointTimeout = .seconds(20)
        var story = Story.running(options, workers: 3, parallelism: 2)
        let layout = story.lastLayout(Story.job)!
        let (stayer, leaver) = (layout.vertices[0].slots[0]!.worker.description, layout.vertices[0].slots[1]!.worker.description)
        story.obedient.remove(stayer)
        story.say(leaver, .leaving(Leave(reason: "SIGTERM", milliseconds: 200_000)))
        story.wait(.seconds(7))
        story.say(stayer, .prepared(job: Story.job, attempt: layout.attempt + 1))
        #expect(!story.triggered.isEmpty)
        if wasAnnounced { story.lose(leaver) } else { story.wait(.seconds(21)) }
        #expect(story.phase == .restarting)
        story.obedient.insert(stayer)
        story.say(stayer, .stopped(job: Story.job, attempt: layout.attempt + 1))
        story.wait(.seconds(3))
        #expect(story.phase == .running && story.view.restarts == 1)
    }

    /// HEAD names its checkpoint, and nothing else has a time limit: state that never comes must not hold the job up for ever.
    @Test func aChangeThatNeverHoldsSomewhereEndsInARecovery() {
        var options = LayoutStories.options()
        options.restart = .fixedDelay(attempts: 0, delay: .seconds(2))
        options.checkpointTimeout = .seconds(20)
        var story = Story.running(options, workers: 3, parallelism: 2)
        let layout = story.lastLayout(Story.job)!
        let (stayer, leaver) = (layout.vertices[0].slots[0]!.worker.description, layout.vertices[0].slots[1]!.worker.description)
        story.obedience[stayer] = { if case .trigger(_, _, let barrier, _, _) = $0 { barrier.layout == nil } else { true } }
        story.say(leaver, .leaving(Leave(reason: "SIGTERM", milliseconds: 200_000)))
        story.wait(.seconds(7))
        let checkpoint = story.triggered.last!
        for task in layout.tasks(of: Story.job) where layout.slot(of: task.subtask).worker.description == stayer && task.subtask.vertex == 0 {
            story.say(stayer, .handedBack(task, [], finished: []))
        }
        story.acknowledge(stayer, attempt: layout.attempt, checkpoint, folder: "\(Story.job)/chk-\(checkpoint)")
        story.wait(.seconds(12))
        #expect(story.view.checkpoints.history.last?.id == checkpoint && story.view.restarts == 0 && story.view.layoutChanges == 0)
        story.wait(.seconds(12))
        #expect(story.log.contains("did not hold within"))
        #expect(story.phase == .running && story.view.restarts == 1)
    }

    @Test func memoryThatAChangeUsesUpUsesUpNoAttempt() {
        var options = LayoutStories.options()
        options.restart = .fixedDelay(attempts: 0, delay: .seconds(2))
        var story = Story.running(options, workers: 3, parallelism: 2)
        let layout = story.lastLayout(Story.job)!
        let (stayer, leaver) = (layout.vertices[0].slots[0]!.worker.description, layout.vertices[0].slots[1]!.worker.description)
        story.obedience[stayer] = { if case .change = $0 { false } else { true } }
        story.say(leaver, .leaving(Leave(reason: "SIGTERM", milliseconds: 200_000)))
        story.wait(.seconds(7))
        let task = layout.task(layout.subtasks(on: WorkerID(leaver))[0], of: Story.job)
        story.say(leaver, .failed(task, StreamError(.memory, retry: false, "memory is used up")))
        story.wait(.seconds(3))
        #expect(story.phase == .running && story.view.restarts == 1)
    }

    // MARK: Without slots

    @Test func aJobThatWaitsForSlotsSaysOnceWhoHasThem() {
        var story = LayoutStories.reactive(workers: 2)
        story.forget()
        let second = JobID(high: 1, low: 2)
        story.submit(LayoutStories.options(reactive: true), job: second)
        story.wait(.seconds(30))
        #expect(story.machine.view(of: second)?.status == .created)
        let words = story.machine.view(of: second)?.waitsFor ?? ""
        #expect(words.contains("0 of 2 are free") && words.contains("job \(Story.job) holds") && words.contains("swiftwater rescale"))
        #expect(story.log.split(separator: "\n").count { $0.contains("waits for task slots") } == 1)
        story.connect("w9")
        story.wait(.seconds(3))
        #expect(story.machine.view(of: second)?.status == .running && story.machine.view(of: second)?.waitsFor == nil)
    }

    // MARK: Together

    @Test func noticesWithMuchTimeWaitForThoseThatOthersHaveNotSeenYet() {
        var story = LayoutStories.reactive(workers: 4)
        let before = story.view.layoutChanges
        story.say("w1", .leaving(Leave(reason: "a notice", milliseconds: 110_000)))
        story.wait(.seconds(5))
        #expect(story.view.layoutChanges == before)
        story.say("w2", .leaving(Leave(reason: "a notice", milliseconds: 110_000)))
        story.wait(.seconds(2))
        #expect(story.view.layoutChanges == before + 1)
        #expect(story.lastLayout(Story.job)!.workers.map(\.description) == ["w0", "w3"])
        // With little time nobody waits for others.
        story.say("w3", .leaving(Leave(reason: "SIGTERM", milliseconds: 25_000)))
        story.wait(.milliseconds(100))
        #expect(story.view.layoutChanges == before + 2)
    }
}

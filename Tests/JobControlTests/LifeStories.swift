import Dataflow
import JobControl
import Testing
import Wire

struct LifeStories {
    @Test func aJobRunsWhenItsSlotsAreThere() {
        var story = Story()
        let ticket = story.submit()
        #expect(story.phase == .waitingForSlots)
        #expect(story.reply(ticket) == .submitted(Story.job))
        story.connect("w0")
        #expect(story.phase == .running)
        #expect(story.view.status == .running)
        #expect(story.keys() == ["\(Story.job)/HEAD"])
        #expect(story.log.contains("switched from state CREATED to RUNNING."))
    }

    @Test func theLayoutStandsInHeadBeforeItIsDeployed() {
        var story = Story()
        story.connect("w0")
        story.storeAnswers = false
        story.submit()
        while let (ticket, store, request) = story.nextAsked() {
            #expect(!story.sent.contains { if case .deploy = $0 { true } else { false } })
            story.answer(ticket, store, request)
        }
        #expect(story.phase == .running)
    }

    @Test func startComesWhenEveryWorkerHasDeployed() {
        var story = Story()
        story.connect("w0")
        story.connect("w1", obeys: false)
        var options = Story.options()
        options.parallelism = 2
        story.submit(options)
        #expect(story.phase == .deploying)
        #expect(!story.sent.contains(.start(job: Story.job, attempt: 1)))
        story.say("w1", .deployed(job: Story.job, attempt: 1))
        #expect(story.phase == .running)
        #expect(story.sent(to: "w0").contains(.start(job: Story.job, attempt: 1)))
        #expect(story.sent(to: "w1").contains(.start(job: Story.job, attempt: 1)))
    }

    @Test func subtasksSpreadEvenlyOverWorkersAndShareSlots() {
        var story = Story()
        for name in ["w0", "w1"] { story.connect(name, slots: 2) }
        var options = Story.options()
        options.parallelism = 2
        story.submit(options)
        let layout = story.lastLayout(Story.job)!
        #expect(layout.vertices[0].slots.map { $0!.worker.description } == ["w0", "w1"])
        #expect(layout.vertices[0].slots == layout.vertices[1].slots)
        #expect(story.machine.view.freeSlots == 2)
    }

    @Test func whatSourcesRegisteredIsGivenBackOnceTheJobHasEndedForGood() {
        var story = Story()
        story.connect("w0")
        story.submit()
        func given() -> Int { story.effects.count { if case .giveBack(Story.job, let sources) = $0 { sources.count == 1 } else { false } } }
        #expect(story.phase == .running && given() == 0)
        story.request(.cancel(Story.job))
        #expect(story.view.status == .cancelled && given() == 1)
    }

    @Test func missingSlotsFailTheJobInWords() {
        var story = Story()
        story.connect("w0")
        var options = Story.options()
        options.parallelism = 3
        story.submit(options)
        story.wait(.seconds(301))
        #expect(story.view.status == .failed)
        #expect(story.view.failure?.contains("1 of 3 are free") == true)
    }

    @Test func parallelismIsClampedByTheKeyGroups() {
        var story = Story()
        story.connect("w0", slots: 20)
        var options = Story.options()
        options.parallelism = 20
        story.submit(options)
        #expect(story.view.vertices[0].parallelism == 8)
        #expect(story.log.contains("above a quarter of the maximum parallelism 8"))
    }

    @Test func aBoundedJobCommitsFinishesAndLeavesNoCheckpoint() {
        var story = Story.running(Story.options(interval: nil))
        story.committables[SubtaskID(vertex: 1, index: 0)] = ["file-1"]
        story.say("w0", .ended(story.task(0)))
        #expect(story.triggered.isEmpty)
        story.say("w0", .ended(story.task(1)))
        #expect(story.triggered == [1])
        #expect(story.phase == .ended)
        #expect(story.view.status == .finished)
        let commit = story.sent.firstIndex { if case .commit = $0 { true } else { false } }!
        #expect(commit < story.sent.firstIndex(of: .release(job: Story.job))!)
        #expect(story.keys() == ["\(Story.job)/HEAD"])
        #expect(story.machine.view.freeSlots == 1)
    }

    /// Its last checkpoint is complete, and its commit is not answered.
    private func finishing() -> Story {
        var story = Story.running(Story.options(interval: nil))
        story.committables[SubtaskID(vertex: 1, index: 0)] = ["file-1"]
        story.obedient = []
        story.say("w0", .ended(story.task(0)))
        story.say("w0", .ended(story.task(1)))
        story.acknowledge("w0", attempt: 1, 1, folder: "\(Story.job)/chk-1")
        #expect(story.phase == .finishing)
        return story
    }

    @Test func aJobIsNotFinishedWhileACommitIsOpen() {
        var story = finishing()
        story.forget()
        story.wait(.seconds(8))  // Asked again after 1, 3 and 7 seconds.
        #expect(story.sent.count { if case .commit = $0 { true } else { false } } == 3)
        story.obedient = ["w0"]
        story.say("w0", .committed(job: Story.job, checkpoint: 1, ids: ["file-1"]))
        #expect(story.view.status == .finished)
    }

    /// All that it did is in the last checkpoint, and others commit.
    @Test func aTaskThatFailsWhileItsJobFinishesCostsNoRestart() {
        var story = finishing()
        story.say("w0", .failed(story.task(1), StreamError(.connection, retry: true, "a peer is gone")))
        #expect(story.phase == .finishing)
        story.obedient = ["w0"]
        story.say("w0", .committed(job: Story.job, checkpoint: 1, ids: ["file-1"]))
        #expect(story.view.status == .finished && story.view.restarts == 0)
    }

    @Test func aSecondJobUnderTheSameIdIsRefused() {
        var story = Story.running()
        let ticket = story.submit()
        guard case .refused(let error) = story.reply(ticket) else { return #expect(Bool(false), "refused") }
        #expect(error.message.contains("exists already"))
    }

    @Test func anEndedJobIsNotRunAgainFromItsHead() {
        var story = Story.running(Story.options(interval: nil))
        story.say("w0", .ended(story.task(0)))
        story.say("w0", .ended(story.task(1)))
        #expect(story.phase == .ended)
        let ticket = story.submit()
        guard case .refused(let error) = story.reply(ticket) else { return #expect(Bool(false), "refused") }
        #expect(error.message.contains("FINISHED"))
    }

    @Test func aFailedJobThatIsStartedAgainGoesOnFromItsNewestCheckpoint() {
        var story = Story.running()
        var head: Head { SealedJSON.decode(Head.self, story.objects["/chk"]!["\(Story.job)/HEAD"]!.bytes)! }
        story.wait(.seconds(1.5))
        #expect(story.triggered == [1])
        let badRow = StreamError(.user, retry: false, "a bad row")
        story.say("w0", .failed(story.task(0), badRow))
        #expect(story.view.status == .failed)
        #expect(head.outcome == "FAILED")
        let inSession = story.submit()
        guard case .refused = story.reply(inSession) else { return #expect(Bool(false), "a session does not run it again") }
        story.forget()
        let asApplication = story.submit(resumesFailed: true)
        #expect(story.reply(asApplication) == .submitted(Story.job))
        #expect(story.view.status == .running)
        #expect(head.outcome == nil)
        #expect(story.log.contains("Restoring job \(Story.job) from Checkpoint 1"))
        story.say("w0", .failed(story.task(0), badRow))
        #expect(head.outcome == "FAILED")
    }

    @Test func unknownJobsAreNamed() {
        var story = Story()
        let other = JobID(high: 1, low: 2)
        let ticket = story.request(.cancel(other))
        #expect(story.reply(ticket) == .unknownJob(other))
    }
}

struct CancelStories {
    @Test(arguments: ["waitingForSlots", "deploying", "running", "restarting", "finishing", "claiming", "publishingLayout", "reading", "ending"])
    func aJobCanBeCancelledInEveryState(state: String) {
        var story = Story()
        var options = Story.options(interval: nil)
        options.restart = .fixedDelay(attempts: 3, delay: .seconds(60))
        switch state {
        case "waitingForSlots": story.submit(options)
        case "claiming", "publishingLayout":
            story.connect("w0")
            story.storeAnswers = false
            story.submit(options)
            while story.phase?.rawValue != state, let (ticket, store, request) = story.nextAsked() { story.answer(ticket, store, request) }
        case "reading":
            story.storeAnswers = false
            story.submit(options, restore: "/old")
        case "deploying":
            story.connect("w0", obeys: false)
            story.submit(options)
            story.obedient = ["w0"]
        default:
            story.connect("w0")
            story.submit(options)
            if state == "restarting" {
                story.say("w0", .failed(story.task(0), StreamError(.externalSystem, retry: true, "broker gone")))
            }
            if state == "finishing" || state == "ending" {
                story.committables[SubtaskID(vertex: 1, index: 0)] = ["f"]
                story.obedient = []
                story.say("w0", .ended(story.task(0)))
                story.say("w0", .ended(story.task(1)))
                story.acknowledge("w0", attempt: 1, 1, folder: "\(Story.job)/chk-1")
                story.obedient = ["w0"]
            }
            if state == "ending" {
                story.obedient = []
                story.request(.cancel(Story.job))
                story.obedient = ["w0"]
            }
        }
        #expect(story.phase?.rawValue == state)
        let ticket = story.request(.cancel(Story.job))
        #expect(story.reply(ticket) == .accepted)
        story.storeAnswers = true
        story.answerAll()
        if state == "ending" || state == "finishing" { story.say("w0", .stopped(job: Story.job, attempt: 1)) }
        story.wait(.seconds(11))
        #expect(story.view.status == .cancelled)
        #expect(story.machine.view.freeSlots == story.machine.view.totalSlots)
        let again = story.request(.cancel(Story.job))
        guard case .refused = story.reply(again) else { return #expect(Bool(false), "refused") }
    }

    @Test func cancelDeletesCheckpointsUnlessTheyAreRetained() {
        for retained in [false, true] {
            var options = Story.options()
            options.retainsOnCancellation = retained
            var story = Story.running(options)
            story.wait(.milliseconds(1500))
            #expect(story.keys().contains("\(Story.job)/chk-1/_metadata"))
            story.request(.cancel(Story.job))
            #expect(story.view.status == .cancelled)
            #expect(story.keys().contains("\(Story.job)/chk-1/_metadata") == retained)
        }
    }

    @Test func aTaskManagerThatDoesNotStopIsCutOff() {
        var story = Story.running()
        story.obedient = []
        story.request(.cancel(Story.job))
        #expect(story.phase == .ending)
        #expect(story.machine.view.freeSlots == 0)
        story.wait(.seconds(181))
        #expect(story.view.status == .cancelled)
        #expect(story.machine.view.workers.isEmpty)
    }
}

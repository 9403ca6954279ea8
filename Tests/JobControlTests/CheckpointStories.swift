import Dataflow
import JobControl
import Testing
import Wire

struct CheckpointStories {
    private func manifest(_ story: Story, _ key: String, store: String = "/chk") -> Manifest? {
        story.objects[store]?[key].flatMap { SealedJSON.decode(Manifest.self, $0.bytes) }
    }

    private func head(_ story: Story) -> Head {
        SealedJSON.decode(Head.self, story.objects["/chk"]!["\(Story.job)/HEAD"]!.bytes)!
    }

    @Test func completesWhenEveryWorkerAcknowledged() {
        var story = Story.running(workers: 2)
        story.obedient = ["w0"]
        story.wait(.milliseconds(1100))
        #expect(story.triggered == [1, 1])
        #expect(!story.sent.contains(.completed(job: Story.job, checkpoint: 1)))
        story.acknowledge("w1", attempt: 1, 1, folder: "\(Story.job)/chk-1")
        #expect(story.sent(to: "w0").contains(.completed(job: Story.job, checkpoint: 1)))
        #expect(story.sent(to: "w1").contains(.completed(job: Story.job, checkpoint: 1)))
        let manifest = manifest(story, "\(Story.job)/chk-1/_metadata")
        #expect(manifest?.objects.count == 2)
        #expect(manifest?.subtasks.map(\.subtask).count == 4)
        #expect(head(story).retained.map(\.checkpoint) == [1])
        #expect(story.log.contains("Completed checkpoint 1 for job \(Story.job) ("))
    }

    @Test func eachSubtaskTellsWhenItsBarrierCame() {
        var story = Story.running()
        story.obedient = []
        story.wait(.milliseconds(1010))
        story.wait(.milliseconds(300))
        let tasks = [(60, 0), (10, 200)].enumerated().map { vertex, times in
            Acknowledgement.Task(
                share: Manifest.Subtask(subtask: SubtaskID(vertex: vertex, index: 0), splits: [], finishedSplits: [], committables: []), stateBytes: 7,
                alignmentMilliseconds: Int64(times.1), synchronousNanoseconds: 0, asynchronousMilliseconds: Int64(times.0))
        }
        story.say("w0", .acknowledged(Acknowledgement(job: Story.job, attempt: 1, checkpoint: 1, object: nil, tasks: tasks, uploadMilliseconds: 10)))
        let record = story.view.checkpoints.history[0]
        let took = record.tasks[0].acknowledged - record.triggered
        #expect(took >= 300 && record.tasks.map(\.startDelayMilliseconds) == [took - 60, took - 210])
        #expect(record.stateBytes == 14)
        #expect(record.duration(at: record.triggered + 5) == (record.status == .inProgress ? 5 : record.durationMilliseconds))
    }

    @Test func logAndRestTellTheSameSize() {
        var story = Story.running(workers: 2)
        story.wait(.milliseconds(1100))
        let record = story.view.checkpoints.history[0]
        #expect(record.status == .completed && record.stateBytes == record.tasks.reduce(0) { $0 + $1.stateBytes } && record.stateBytes > 0)
        #expect(story.log.contains("Completed checkpoint 1 for job \(Story.job) (\(record.stateBytes) bytes,"))
    }

    @Test func whatIsUnderWayHasTakenTimeAlready() {
        var story = Story.running()
        story.obedient = []
        story.wait(.milliseconds(1010))
        let record = story.view.checkpoints.history[0]
        #expect(record.status == .inProgress && record.duration(at: record.triggered + 70) == 70)
    }

    @Test func anAcknowledgementOfOtherSubtasksFailsIt() {
        var story = Story.running(workers: 2)
        story.obedient = []
        story.wait(.milliseconds(1100))
        story.say(
            "w1", .acknowledged(Acknowledgement(job: Story.job, attempt: 1, checkpoint: 1, object: nil, tasks: [], uploadMilliseconds: 0)))
        #expect(story.view.checkpoints.history.last?.status == .failed)
    }

    @Test func nobodyIsToldBeforeHeadNamesIt() {
        var story = Story.running()
        story.committables[SubtaskID(vertex: 1, index: 0)] = ["f"]
        story.storeAnswers = false
        story.wait(.milliseconds(1100))
        while let (ticket, store, request) = story.nextAsked() {
            #expect(!story.sent.contains { if case .commit = $0 { true } else { false } })
            #expect(!story.sent.contains(.completed(job: Story.job, checkpoint: 1)))
            if case .put("\(Story.job)/HEAD", _, _) = request {
                story.answer(ticket, store, request)
                break
            }
            story.answer(ticket, store, request)
        }
        #expect(story.sent.contains(.completed(job: Story.job, checkpoint: 1)))
        #expect(story.sent.contains { if case .commit = $0 { true } else { false } })
    }

    @Test func whatIsRetainedStaysAndOlderOnesLeaveHeadFirst() {
        var options = Story.options()
        options.retainedCheckpoints = 2
        var story = Story.running(options)
        story.wait(.milliseconds(2500))
        #expect(head(story).retained.map(\.checkpoint) == [1, 2])
        story.storeAnswers = false
        story.wait(.seconds(1))
        var deleted = false
        while let (ticket, store, request) = story.nextAsked() {
            if case .delete(let keys) = request {
                deleted = true
                #expect(head(story).retained.map(\.checkpoint) == [2, 3])
                #expect(keys == ["\(Story.job)/chk-1/_metadata", "\(Story.job)/chk-1/w0-1"])
            }
            story.answer(ticket, store, request)
        }
        #expect(deleted)
    }

    @Test func expiredOnesAreHarmlessAsLongAsTheyAreTolerated() {
        var options = Story.options()
        options.checkpointTimeout = .seconds(3)
        options.tolerableFailedCheckpoints = 1
        var story = Story.running(options)
        story.obedient = []
        story.wait(.milliseconds(4100))
        #expect(story.sent.contains(.aborted(job: Story.job, checkpoint: 1)))
        #expect(story.phase == .running)
        story.wait(.seconds(3))
        #expect(story.phase == .restarting)
        #expect(story.view.failure?.contains("tolerable failure threshold") == true)
    }

    @Test func aDeclinedOneCountsAndASuccessForgets() {
        var options = Story.options()
        options.tolerableFailedCheckpoints = 1
        var story = Story.running(options)
        for round in 0..<4 {
            story.obedient = round % 2 == 0 ? [] : ["w0"]
            story.wait(.milliseconds(1000))
            if round % 2 == 0 {
                story.say("w0", .declined(job: Story.job, attempt: 1, checkpoint: story.triggered.last!, reason: "disk full"))
            }
            #expect(story.phase == .running)
        }
        #expect(story.view.checkpoints.counts.failed == 2)
        #expect(story.view.checkpoints.counts.completed == 2)
    }

    @Test func theNewestOfEachKindIsKnownBeyondTheHistory() {
        var options = Story.options()
        options.checkpointHistory = 2
        options.tolerableFailedCheckpoints = 5
        var story = Story.running(options)
        _ = story.request(.savepoint(Story.job, kind: .savepoint, directory: nil))
        story.wait(.milliseconds(500))
        let savepoint = story.view.checkpoints.newest(.savepoint)?.id
        #expect(savepoint != nil)
        story.obedient = []
        story.wait(.milliseconds(1100))
        let failed = story.triggered.last!
        story.say("w0", .declined(job: Story.job, attempt: 1, checkpoint: failed, reason: "disk full"))
        story.obedient = ["w0"]
        story.wait(.seconds(5))
        let checkpoints = story.view.checkpoints
        #expect(checkpoints.history.count == 2 && !checkpoints.history.contains { $0.ending == .savepoint || $0.ending == .failed })
        #expect(checkpoints.newest(.savepoint)?.id == savepoint)
        #expect(checkpoints.newest(.failed)?.id == failed)
        #expect(checkpoints.newest(.checkpoint)?.id == checkpoints.history.last { $0.status == .completed }?.id)
        #expect(checkpoints.older.count == 3)
    }

    @Test func lateAcknowledgementsAreGarbage() {
        var options = Story.options()
        options.tolerableFailedCheckpoints = 5
        options.checkpointTimeout = .seconds(1)
        var story = Story.running(options)
        story.obedient = []
        story.wait(.milliseconds(2100))
        let key = "\(Story.job)/chk-1/w0-1"
        story.objects["/chk"]![key] = ([1], "x")
        story.acknowledge("w0", attempt: 1, 1, folder: "\(Story.job)/chk-1")
        #expect(!story.keys().contains(key))
        #expect(!story.sent.contains(.completed(job: Story.job, checkpoint: 1)))
        #expect(!story.keys().contains("\(Story.job)/chk-1/_metadata"))
    }

    @Test func aRepeatedAcknowledgementOfACompleteOneDeletesNothing() {
        var story = Story.running()
        story.wait(.milliseconds(1100))
        let key = "\(Story.job)/chk-1/w0-1"
        story.objects["/chk"]![key] = ([1], "x")
        story.acknowledge("w0", attempt: 1, 1, folder: "\(Story.job)/chk-1")
        #expect(story.keys().contains(key))
    }

    @Test func aManifestOfUnknownOutcomeIsReadAgain() {
        for happened in [true, false] {
            var story = Story.running()
            story.storeAnswers = false
            story.wait(.milliseconds(1100))
            let (ticket, store, request) = story.nextAsked()!
            if happened { _ = story.perform(store, request) }
            story.tell(.stored(ticket, .failed("timeout", mayHaveHappened: true)))
            story.answerAll()
            story.wait(.milliseconds(200))
            story.answerAll()
            #expect(story.view.checkpoints.counts.completed == 1)
        }
    }

    @Test func aFullStoreFailsTheCheckpointAndTheJobGoesOn() {
        var options = Story.options()
        options.tolerableFailedCheckpoints = 1
        options.checkpointInterval = .seconds(20)
        var story = Story.running(options)
        story.storeAnswers = false
        story.wait(.seconds(20))
        for _ in 0..<5 {
            let (ticket, _, _) = story.nextAsked()!
            story.tell(.stored(ticket, .failed("no space left", mayHaveHappened: false)))
            story.wait(.seconds(2))
        }
        #expect(story.view.checkpoints.counts.failed == 1)
        #expect(story.phase == .running)
    }

    @Test func savepointsWaitForThePendingCheckpointAndStay() {
        var story = Story.running()
        story.obedient = []
        story.wait(.milliseconds(1100))
        let ticket = story.request(.savepoint(Story.job, kind: .savepoint, directory: nil))
        #expect(story.triggered == [1])
        story.obedient = ["w0"]
        story.acknowledge("w0", attempt: 1, 1, folder: "\(Story.job)/chk-1")
        // Then an ordinary one at once: the savepoint is the user's, who may delete it.
        #expect(story.triggered == [1, 2, 3])
        #expect(!head(story).retained.contains { $0.kind == .savepoint })
        guard case .completed(let path)? = story.reply(ticket) else { return #expect(Bool(false), "completed") }
        #expect(path.hasPrefix("/sav/savepoint-abcdef-"))
        #expect(story.keys("/sav").count == 1)
        story.wait(.seconds(5))
        #expect(story.keys("/sav").count == 1)
        #expect(!head(story).retained.contains { $0.kind == .savepoint })
    }

    @Test func commitsThatFailForTheCheckpointTimeoutFailTheJob() {
        var options = Story.options()
        options.checkpointTimeout = .seconds(5)
        var story = Story.running(options)
        let error = StreamError(.externalSystem, retry: true, "rename: Input/output error")
        story.say("w0", .commitFailed(job: Story.job, checkpoint: 1, error))
        story.wait(.seconds(3))
        story.say("w0", .commitFailed(job: Story.job, checkpoint: 1, error))
        #expect(story.phase == .running)
        story.wait(.seconds(3))
        story.say("w0", .commitFailed(job: Story.job, checkpoint: 1, error))
        #expect(story.phase != .running)
        #expect(story.view.failures.last?.error.description.contains("Input/output error") == true)
    }

    @Test func savepointsNeedADirectoryAndARunningJob() {
        var options = Story.options()
        options.savepointDirectory = nil
        var story = Story.running(options)
        let first = story.request(.savepoint(Story.job, kind: .savepoint, directory: nil))
        guard case .refused(let error)? = story.reply(first) else { return #expect(Bool(false), "refused") }
        #expect(error.message.contains("execution.checkpointing.savepoint-dir"))
        story.lose("w0")
        let second = story.request(.savepoint(Story.job, kind: .savepoint, directory: "/x"))
        guard case .refused? = story.reply(second) else { return #expect(Bool(false), "refused") }
    }

    @Test func stopWithSavepointEndsTheJobAfterItsCommits() {
        var story = Story.running()
        story.committables[SubtaskID(vertex: 1, index: 0)] = ["f"]
        let ticket = story.request(.savepoint(Story.job, kind: .stop, directory: "/mine"))
        guard case .completed(let path)? = story.reply(ticket) else { return #expect(Bool(false), "completed") }
        #expect(path.hasPrefix("/mine/savepoint-abcdef-"))
        #expect(story.view.status == .finished)
        #expect(story.sent.contains { if case .commit = $0 { true } else { false } })
        #expect(story.keys("/mine").count == 1)
    }

    @Test func aFailedStopRestartsTheJob() {
        var story = Story.running()
        story.obedient = []
        let ticket = story.request(.savepoint(Story.job, kind: .drain, directory: nil))
        story.say("w0", .declined(job: Story.job, attempt: 1, checkpoint: 1, reason: "no"))
        guard case .refused? = story.reply(ticket) else { return #expect(Bool(false), "refused") }
        #expect(story.phase == .restarting)
    }

    @Test func aFailedSavepointCostsTheJobNothing() {
        var story = Story.running(Story.options(interval: nil))
        for checkpoint in 1...3 as ClosedRange<CheckpointID> {
            story.obedient = []
            let ticket = story.request(.savepoint(Story.job, kind: .savepoint, directory: nil))
            story.say("w0", .declined(job: Story.job, attempt: 1, checkpoint: checkpoint, reason: "no"))
            guard case .refused? = story.reply(ticket) else { return #expect(Bool(false), "refused") }
        }
        #expect(story.phase == .running && story.view.restarts == 0)
    }

    @Test func aCheckpointOnRequestIsAnswered() {
        var story = Story.running(Story.options(interval: nil))
        let ticket = story.request(.checkpoint(Story.job))
        #expect(story.reply(ticket) == .completed(path: "/chk/\(Story.job)/chk-1"))
    }

    @Test func theMinimumPauseIsKept() {
        var options = Story.options()
        options.minimumPause = .seconds(5)
        var story = Story.running(options)
        story.obedient = []
        story.wait(.seconds(3))
        story.acknowledge("w0", attempt: 1, 1, folder: "\(Story.job)/chk-1")
        story.wait(.milliseconds(4900))
        #expect(story.triggered == [1])
        story.wait(.milliseconds(200))
        #expect(story.triggered == [1, 2])
    }

    @Test func idsAreReservedInHeadBeforeTheyAreUsed() {
        var options = Story.options()
        options.tolerableFailedCheckpoints = 1000
        var story = Story.running(options)
        story.obedient = []
        for _ in 0..<40 {
            story.wait(.seconds(1))
            if let id = story.triggered.last {
                #expect(id <= head(story).lastCheckpoint)
                story.say("w0", .declined(job: Story.job, attempt: 1, checkpoint: id, reason: "no"))
            }
        }
        #expect(story.triggered.last == 40)
        #expect(story.triggered == story.triggered.sorted())
    }

    @Test func uncommittedOnesTravelInEveryLaterManifest() {
        var story = Story.running()
        story.committables[SubtaskID(vertex: 1, index: 0)] = ["f1"]
        story.obedient = []
        story.wait(.milliseconds(1100))
        story.acknowledge("w0", attempt: 1, 1, folder: "\(Story.job)/chk-1")
        story.committables = [:]
        story.wait(.seconds(1))
        story.acknowledge("w0", attempt: 1, 2, folder: "\(Story.job)/chk-2")
        #expect(manifest(story, "\(Story.job)/chk-2/_metadata")?.uncommitted.map(\.committable.id) == ["f1"])
        story.say("w0", .committed(job: Story.job, checkpoint: 1, ids: ["f1"]))
        story.wait(.seconds(1))
        story.acknowledge("w0", attempt: 1, 3, folder: "\(Story.job)/chk-3")
        #expect(manifest(story, "\(Story.job)/chk-3/_metadata")?.uncommitted.isEmpty == true)
    }

    @Test func aLostCommitAnswerIsAskedForAgainAlsoAfterARecovery() {
        var story = Story.running(workers: 2, parallelism: 1)
        story.committables[SubtaskID(vertex: 1, index: 0)] = ["f1"]
        story.obedient = []
        story.wait(.milliseconds(1100))
        let holder = story.lastLayout(Story.job)!.vertices[1].slots[0]!.worker.description
        let other = holder == "w0" ? "w1" : "w0"
        story.acknowledge(holder, attempt: 1, 1, folder: "\(Story.job)/chk-1")
        #expect(story.sent(to: holder).contains { if case .commit = $0 { true } else { false } })
        story.forget()
        story.obedient = [other]
        story.lose(holder)
        let commits = story.sent(to: other).compactMap { message -> [String]? in
            if case .commit(_, 1, let commits) = message { commits.map(\.committable.id) } else { nil }
        }
        #expect(commits == [["f1"]])
        let deployment = story.sent(to: other).compactMap { if case .deploy(let deployment) = $0 { deployment } else { nil } }.last
        #expect(deployment?.committables.map(\.committable.id) == ["f1"])
        #expect(story.view.uncommitted == 0)
    }

    @Test func aCompletionThatWinsTheRaceIsWhatTheJobRestoresFrom() {
        var story = Story.running(workers: 2, parallelism: 1)
        story.storeAnswers = false
        story.wait(.milliseconds(1100))
        let manifest = story.nextAsked()!
        story.answer(manifest.ticket, manifest.store, manifest.request)
        let head = story.nextAsked()!  // HEAD's put is under way, its outcome open.
        let holder = story.lastLayout(Story.job)!.vertices[1].slots[0]!.worker.description
        story.lose(holder)
        #expect(story.phase == .restarting)
        story.answer(head.ticket, head.store, head.request)
        story.answerAll()
        let deployment = story.sent.compactMap { if case .deploy(let deployment) = $0 { deployment } else { nil } }.last
        #expect(deployment?.layout.attempt == 2)
        #expect(deployment?.restore?.checkpoint == 1)
    }

    @Test func aPendingOneIsAbortedByAFailureAndItsManifestCollected() {
        var story = Story.running(workers: 2, parallelism: 1)
        story.storeAnswers = false
        story.wait(.milliseconds(1100))
        let (ticket, store, request) = story.nextAsked()!
        story.lose(story.lastLayout(Story.job)!.vertices[1].slots[0]!.worker.description)
        story.storeAnswers = true
        story.answer(ticket, store, request)
        story.answerAll()
        #expect(!story.keys().contains("\(Story.job)/chk-1/_metadata"))
        #expect(story.view.checkpoints.counts.failed == 1)
        #expect(story.phase == .running)
    }
}

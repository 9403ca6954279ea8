import Dataflow
import FoundationEssentials
import JobControl
import Testing
import Wire

struct SplitStories {
    private func given(_ story: Story) -> [(subtask: SubtaskID, splits: [String], positions: [[UInt8]], noMore: Bool)] {
        story.sent.compactMap { message in
            guard case .splits(let task, let splits, let noMore, _) = message else { return nil }
            return (task.subtask, splits.map(\.split.id), splits.map(\.position), noMore)
        }
    }

    @Test func splitsAreHandedOutOneARequestInOrder() {
        var story = Story.running(workers: 2, splits: ["a", "b", "c"])
        for index in [0, 1, 0, 1, 0] { story.say("w\(index)", .needsSplits(story.task(0, index))) }
        let given = given(story)
        #expect(given.map(\.subtask.index) == [0, 1, 0, 1, 0])
        #expect(given.map(\.splits) == [["a"], ["b"], ["c"], [], []])
        #expect(given.map(\.noMore) == [false, false, true, true, true])
    }

    @Test func aRequestThatCannotBeAnsweredYetIsRemembered() {
        var story = Story()
        story.isComplete = false
        story.connect("w0")
        story.submit()
        for _ in 0..<2 { story.say("w0", .needsSplits(story.task(0))) }
        // Told once, so that it holds no watermarks back.
        #expect(given(story).map(\.splits) == [[]])
        #expect(given(story).map(\.noMore) == [false])
        story.wait(.seconds(11))
        story.splits = ["late"]
        story.wait(.seconds(11))
        #expect(given(story).map(\.splits) == [[], ["late"]])
    }

    @Test func whatWasHandedOutBeforeATriggerBelongsToItsReader() {
        var story = Story.running(splits: ["a", "b", "c"])
        story.obedient = []
        story.say("w0", .needsSplits(story.task(0)))
        story.held[SubtaskID(vertex: 0, index: 0)] = [SplitState(split: Split(id: "a", label: "a", payload: []), position: [4])]
        story.wait(.milliseconds(1100))
        story.say("w0", .needsSplits(story.task(0)))  // "b" follows the trigger: it stays in the enumerator's share.
        story.acknowledge("w0", attempt: 1, 1, folder: "\(Story.job)/chk-1")
        story.obedient = ["w0"]
        story.forget()
        story.lose("w0")
        story.connect("w1")
        for _ in 0..<4 { story.say("w1", .needsSplits(story.task(0))) }
        #expect(given(story).map(\.splits) == [["a"], ["b"], ["c"], []])
        #expect(given(story)[0].positions == [[4]])
    }

    @Test func finishedSplitsAreNotHandedOutAgain() {
        var story = Story.running(splits: ["a", "b"])
        story.say("w0", .needsSplits(story.task(0)))
        story.finished[SubtaskID(vertex: 0, index: 0)] = ["a"]
        story.wait(.milliseconds(1100))
        story.forget()
        story.lose("w0")
        story.connect("w1")
        for _ in 0..<2 { story.say("w1", .needsSplits(story.task(0))) }
        #expect(given(story).map(\.splits) == [["b"], []])
    }

    @Test func aSplitThatNoSnapshotShowsFailsTheCheckpoint() {
        var story = Story.running(splits: ["a"])
        story.say("w0", .needsSplits(story.task(0)))
        story.wait(.milliseconds(1100))
        #expect(story.view.checkpoints.history.last?.failure?.contains("split a") == true)
        #expect(!story.sent.contains(.completed(job: Story.job, checkpoint: 1)))
    }

    @Test func withoutACheckpointEverythingIsReadAgain() {
        var story = Story.running(Story.options(interval: nil), splits: ["a", "b"])
        story.say("w0", .needsSplits(story.task(0)))
        story.forget()
        story.lose("w0")
        story.connect("w1")
        for _ in 0..<2 { story.say("w1", .needsSplits(story.task(0))) }
        #expect(given(story).map(\.splits) == [["a"], ["b"]])
    }

    @Test func anAnswerFromBeforeAResetIsNotTaken() {
        var assigner = SplitAssigner(vertex: 0)
        let split = { (id: String) in Split(id: id, label: id, payload: []) }
        let first = assigner.discover(at: .zero)
        #expect(first == [])
        _ = assigner.discovered(Discovery(splits: [split("a")], isComplete: false, next: .seconds(1)), at: .zero)
        let second = assigner.discover(at: .seconds(1))
        #expect(second == ["a"])
        assigner.reset(to: nil, reading: [])
        // Asked while "a" was known, so "a" is not in it; taken for complete it would be lost.
        let stale = assigner.discovered(Discovery(splits: [split("b")], isComplete: true), at: .seconds(2))
        #expect(stale == [])
        let third = assigner.discover(at: .seconds(2))
        #expect(third == [])
        _ = assigner.discovered(Discovery(splits: [split("a"), split("b")], isComplete: true), at: .seconds(3))
        let given = assigner.needsSplits(0)
        #expect(given.first?.splits.map(\.split.id) == ["a"])
        assigner.checkInvariants()
    }

    @Test func aDiscoveryThatFailsForGoodFailsTheJob() {
        var story = Story.running(splits: ["a"])
        story.isComplete = false
        story.tell(
            .discovered(job: Story.job, vertex: 0, .failure(StreamError(.user, retry: false, "no such file: ticks.json"))))
        #expect(story.view.status == .failed)
        #expect(story.view.failure?.contains("no such file: ticks.json") == true)
    }
}

struct RestoreStories {
    /// A job that was stopped with a savepoint; answers its folder and what the stores hold.
    private func stopped(_ graph: JobGraph = Story.graph()) -> (path: String, objects: [String: [String: (bytes: [UInt8], etag: String)]]) {
        var story = Story.running(splits: ["a", "b"])
        story.say("w0", .needsSplits(story.task(0)))
        story.held[SubtaskID(vertex: 0, index: 0)] = [SplitState(split: Split(id: "a", label: "a", payload: []), position: [9])]
        story.committables[SubtaskID(vertex: 1, index: 0)] = ["f"]
        let ticket = story.request(.savepoint(Story.job, kind: .stop, directory: nil))
        guard case .completed(let path)? = story.reply(ticket) else { preconditionFailure("the job stops") }
        return (path, story.objects)
    }

    private static let other = JobID(high: 5, low: 6)

    private func restored(
        _ path: String, _ objects: [String: [String: (bytes: [UInt8], etag: String)]], graph: JobGraph = Story.graph(), allowNonRestored: Bool = false
    ) -> (story: Story, reply: ClientReply?) {
        var story = Story(seed: 9)
        story.objects = objects
        story.connect("w0")
        let ticket = story.submit(graph: graph, restore: path, allowNonRestored: allowNonRestored, job: Self.other)
        return (story, story.reply(ticket))
    }

    @Test func aJobStartsFromASavepoint() {
        let (path, objects) = stopped()
        var (story, reply) = restored(path, objects)
        #expect(reply == .submitted(Self.other))
        let deployment = story.sent.compactMap { if case .deploy(let deployment) = $0 { deployment } else { nil } }.last
        #expect(deployment?.restore?.store == path)
        #expect(deployment?.restore?.objects.map(\.key) == ["w0-1"])
        #expect(deployment?.restore?.vertices == [0, 1])
        // What the savepoint names is carried out again.
        #expect(story.sent.contains { if case .commit(Self.other, _, let commits) = $0 { commits.map(\.committable.id) == ["f"] } else { false } })
        let task = TaskID(job: Self.other, subtask: SubtaskID(vertex: 0, index: 0), attempt: 1)
        story.say("w0", .needsSplits(task))
        let splits = story.sent.compactMap { if case .splits(_, let splits, _, _) = $0 { splits } else { nil } }
        #expect(splits.last?.map(\.split.id) == ["a"])
        #expect(splits.last?.map(\.position) == [[9]])
        #expect(story.machine.view(of: Self.other)?.checkpoints.restored?.path == path)
    }

    @Test func idsGoOnAboveTheSavepoints() {
        let (path, objects) = stopped()
        var (story, _) = restored(path + "/_metadata", objects)
        story.held = [:]
        // At once: the savepoint is the user's, who may delete it.
        #expect(story.triggered == [2])
        story.wait(.milliseconds(1100))
        #expect(story.triggered == [2, 3])
    }

    @Test func aDamagedOneIsRefusedByName() {
        let (path, kept) = stopped()
        var objects = kept
        objects["/sav"] = ["\(path.dropFirst("/sav/".count))/_metadata": (Array("{\"version\":1".utf8), "x")]
        let (story, reply) = restored(path, objects)
        guard case .refused(let error)? = reply else { return #expect(Bool(false), "refused") }
        #expect(error.message.contains(path) && error.message.contains("damaged"))
        #expect(story.keys().contains("\(Self.other)/HEAD") == false)
    }

    @Test func anEmptyFolderIsRefusedByName() {
        guard case .refused(let error)? = restored("/nowhere", [:]).reply else { return #expect(Bool(false), "refused") }
        #expect(error.message.contains("/nowhere"))
    }

    @Test func anotherMaximumParallelismIsRefused() {
        let (path, objects) = stopped()
        var graph = Story.graph()
        graph.maxParallelism = 16
        guard case .refused(let error)? = restored(path, objects, graph: graph).reply else { return #expect(Bool(false), "refused") }
        #expect(error.message.contains("8") && error.message.contains("16"))
    }

    @Test func stateOfVerticesThatAreGoneIsRefusedUnlessAllowed() {
        let (path, objects) = stopped()
        let graph = Story.graph(ids: ["a", "z"])
        guard case .refused(let error)? = restored(path, objects, graph: graph).reply else { return #expect(Bool(false), "refused") }
        #expect(error.message.contains("vertex b"))
        let (story, reply) = restored(path, objects, graph: graph, allowNonRestored: true)
        #expect(reply == .submitted(Self.other))
        let deployment = story.sent.compactMap { if case .deploy(let deployment) = $0 { deployment } else { nil } }.last
        #expect(deployment?.restore?.vertices == [0, nil])
    }

    @Test func aStoreThatDoesNotAnswerIsTriedAFewTimes() {
        var story = Story()
        story.storeAnswers = false
        let ticket = story.submit(restore: "/old")
        for _ in 0..<3 {
            guard let (ticket, _, _) = story.nextAsked() else { return #expect(Bool(false), "it asks") }
            story.tell(.stored(ticket, .failed("503", mayHaveHappened: false)))
            story.wait(.seconds(1))
        }
        guard case .refused(let error)? = story.reply(ticket) else { return #expect(Bool(false), "refused") }
        #expect(error.message.contains("503"))
    }

    @Test func aStoreThatRefusesEndsTheSubmissionInWords() {
        var story = Story()
        story.storeAnswers = false
        let submission = story.submit()
        // What may pass by itself is waited for.
        for _ in 0..<20 {
            guard let (ticket, _, _) = story.nextAsked() else { return #expect(Bool(false), "it asks") }
            story.tell(.stored(ticket, .failed("503", mayHaveHappened: false)))
            story.wait(.seconds(6))
        }
        #expect(story.reply(submission) == nil)
        guard let (read, _, _) = story.nextAsked() else { return #expect(Bool(false), "it asks") }
        story.tell(.stored(read, .notFound))
        guard case (let write, _, .put)? = story.nextAsked() else { return #expect(Bool(false), "it writes") }
        story.tell(.stored(write, .refused("AccessDenied")))
        guard case .refused(let error)? = story.reply(submission) else { return #expect(Bool(false), "refused") }
        #expect(!error.retry && error.message.contains("AccessDenied") && error.message.contains("execution.checkpointing.dir"))
        #expect(story.machine.view.jobs.isEmpty, "what was refused is not listed")
        story.wait(.seconds(60))
        #expect(story.nextAsked() == nil)
        // Where the user's checkpoint lies, too, at the first answer.
        let restore = story.submit(restore: "/old")
        guard let (first, _, _) = story.nextAsked() else { return #expect(Bool(false), "it asks") }
        story.tell(.stored(first, .refused("AccessDenied")))
        #expect(story.reply(restore) != nil)
        #expect(story.machine.view.jobs.isEmpty)
    }

    @Test func aPathWithoutACheckpointSubmitsNothing() {
        var story = Story()
        story.connect("w0")
        let ticket = story.submit(restore: "/nosuch/chk-7")
        guard case .refused(let error)? = story.reply(ticket) else { return #expect(Bool(false), "refused") }
        #expect(error.kind == .user && error.message == "cannot restore from /nosuch/chk-7: there is no _metadata in it")
        #expect(story.machine.view.jobs.isEmpty)
        let again = story.submit()
        #expect(story.reply(again) == .submitted(Story.job), "the job may be handed in with a better path")
    }

    @Test func aCheckpointFolderServesToo() {
        var options = Story.options()
        options.retainsOnCancellation = true
        var story = Story.running(options)
        story.wait(.milliseconds(1100))
        story.request(.cancel(Story.job))
        let folder = "/chk/\(Story.job)/chk-1"
        let (next, reply) = restored(folder, story.objects)
        #expect(reply == .submitted(Self.other))
        let deployment = next.sent.compactMap { if case .deploy(let deployment) = $0 { deployment } else { nil } }.last
        #expect(deployment?.restore?.store == folder)
    }

    @Test func aCheckpointOfAJobThatRunsIsRefused() {
        var story = Story.running()
        story.wait(.milliseconds(1100))
        let folder = "/chk/\(Story.job)/chk-1"
        let ticket = story.submit(restore: folder, job: Self.other)
        guard case .refused(let error)? = story.reply(ticket) else { return #expect(Bool(false), "refused") }
        #expect(!error.retry && error.message.contains("\(Story.job), which still runs") && error.message.contains("savepoint"))
        #expect(story.view.status == .running)
        // A savepoint is anybody's.
        let taken = story.request(.savepoint(Story.job, kind: .savepoint, directory: nil))
        guard case .completed(let path)? = story.reply(taken) else { return #expect(Bool(false), "a savepoint") }
        let second = story.submit(restore: path, job: Self.other)
        #expect(story.reply(second) == .submitted(Self.other))
    }

    @Test func atAnotherParallelismEverybodyGetsAllStateOfItsVertices() {
        var story = Story.running(workers: 2)
        story.wait(.milliseconds(1100))
        story.lose("w1")
        story.connect("w2")
        let same = story.sent(to: "w2").compactMap { if case .deploy(let deployment) = $0 { deployment.restore } else { nil } }.last
        #expect(same?.objects.count == 1)
        var next = Story(seed: 5)
        next.objects = story.objects
        next.connect("w0")
        next.submit()
        let narrower = next.sent.compactMap { if case .deploy(let deployment) = $0 { deployment.restore } else { nil } }.last
        #expect(narrower?.objects.count == 2)
        #expect(narrower?.parallelism == [2, 2])
    }
}

struct WorkerStories {
    private func now(_ seconds: Double) -> Now { Now(instant: .seconds(seconds), wallMilliseconds: 0) }

    @Test func aSilentTaskManagerIsLostAfterTheTimeout() {
        var story = Story()
        story.connect("w0")
        story.silent = ["w0"]
        story.wait(.milliseconds(3900))
        #expect(story.machine.view.workers.count == 1)
        story.wait(.milliseconds(1200))
        #expect(story.machine.view.workers.isEmpty)
        #expect(story.log.contains("no sign of life"))
    }

    @Test func oneThatSpeaksIsNotLost() {
        var story = Story()
        story.connect("w0")
        story.wait(.seconds(60))
        #expect(story.machine.view.workers.count == 1)
        #expect(story.sent.count { if case .heartbeat = $0 { true } else { false } } >= 59)
    }

    @Test func aJobManagerThatStoodStillCondemnsNobody() {
        var workers = Workers(options: ClusterOptions())
        workers.connected(1, at: .zero)
        _ = workers.register(Story.registration("w0"), on: 1, owed: [:], at: now(0))
        let tick = workers.tick(at: .seconds(100))
        #expect(tick.silent.isEmpty)
        #expect(tick.beats.count == 1)
        _ = workers.heard(on: 1, at: now(100.1))
        let later = workers.tick(at: .seconds(101))
        #expect(later.silent.isEmpty)
        workers.checkInvariants()
    }

    @Test func anotherVersionIsRefusedInWords() {
        var options = ClusterOptions()
        options.version = "2.0"
        var story = Story(cluster: options)
        story.tell(.connected(5))
        story.tell(.message(.register(Story.registration("w0", version: "1.9")), from: 5))
        #expect(story.sent == [.refused(reason: "TaskManager w0 has version 1.9, this JobManager has 2.0")])
        #expect(story.effects.contains { if case .close(5, _) = $0 { true } else { false } })
    }

    @Test func aLeaderOutranksWhomATaskManagerHasHeardBefore() {
        var story = Story()
        story.tell(.connected(5))
        var registration = Story.registration("w0")
        registration.newestEpoch = 900
        story.tell(.message(.register(registration), from: 5))
        #expect(story.effects.contains { if case .send(.registered, epoch: 901, to: 5) = $0 { true } else { false } })
        // Its own epoch comes back after a break of the connection, and stays.
        story.forget()
        registration.newestEpoch = 901
        story.tell(.disconnected(5, reason: "reset"))
        story.tell(.connected(6))
        story.tell(.message(.register(registration), from: 6))
        #expect(story.effects.contains { if case .send(.registered, epoch: 901, to: 6) = $0 { true } else { false } })
    }

    @Test func anotherProcessOfTheSameNameWaitsUntilTheFirstIsLost() {
        var story = Story()
        func registration(_ incarnation: UInt64) -> Registration {
            var registration = Story.registration("w0")
            registration.incarnation = incarnation
            return registration
        }
        story.tell(.connected(5))
        story.tell(.message(.register(registration(1)), from: 5))
        story.forget()
        story.tell(.connected(6))
        story.tell(.message(.register(registration(2)), from: 6))
        #expect(story.effects.contains { if case .close(6, _) = $0 { true } else { false } })
        #expect(!story.effects.contains { if case .close(5, _) = $0 { true } else { false } })
        guard case .turnedAway(let reason)? = story.sent.first, story.sent.count == 1 else { return #expect(Bool(false), "it is told why: \(story.sent)") }
        #expect(reason.contains("TaskManager w0") && reason.contains("taskmanager.resource-id"))
        story.tell(.disconnected(6, reason: "closed"))
        // The same process comes again on a new connection: that one takes the old one's place.
        story.forget()
        story.tell(.connected(7))
        story.tell(.message(.register(registration(1)), from: 7))
        #expect(story.effects.contains { if case .close(5, _) = $0 { true } else { false } })
        story.tell(.disconnected(7, reason: "killed"))
        story.forget()
        story.tell(.connected(8))
        story.tell(.message(.register(registration(2)), from: 8))
        #expect(story.sent.contains { if case .registered = $0 { true } else { false } })
    }

    @Test func aConnectionWithoutARegistrationIsClosed() {
        var story = Story()
        story.tell(.connected(5))
        story.tell(.message(.heartbeat(sequence: 1), from: 5))
        #expect(story.effects.contains { if case .close(5, _) = $0 { true } else { false } })
        story.forget()
        story.tell(.connected(6))
        story.wait(.seconds(5))
        #expect(story.effects.contains { if case .close(6, _) = $0 { true } else { false } })
    }

    @Test func slotsHaveOneHolder() {
        var pool = SlotPool()
        let (a, b) = (WorkerID("a"), WorkerID("b"))
        pool.add(a, slots: 2)
        pool.add(b, slots: 1)
        let holder = SlotPool.Holder(job: Story.job, attempt: 1)
        let taken = pool.take(3, for: holder, on: [a, b])!
        #expect(Set(taken).count == 3)
        let fourth = pool.take(1, for: holder, on: [a, b])
        #expect(fourth == nil)
        let (early, right) = (pool.release(Story.job, attemptsUpTo: 0, on: a), pool.release(Story.job, attemptsUpTo: 1, on: a))
        #expect(!early && right)
        #expect(pool.free(on: a) == 2)
        let held = pool.remove(b)
        #expect(held == [Story.job: 1])
        pool.checkInvariants(workers: [a])
    }

    @Test func pairsAreCounted() {
        let story = Story.running()
        #expect(story.machine.coverage["deploying × deployed"] == 1)
        #expect(JobManagerMachine.allPairs.count == JobPhase.Name.allCases.count * JobEvent.Name.allCases.count)
        #expect(story.machine.coverage.keys.allSatisfy { JobManagerMachine.allPairs.contains($0) })
    }
}

import Dataflow
import JobControl
import Testing
import Wire

/// Planned changes of the layout: no restart, nothing replayed.
@Suite struct LayoutStories {
    static func options(reactive: Bool = false) -> JobOptions {
        var options = Story.options(interval: nil)
        options.isReactive = reactive
        options.cooldown = .zero
        return options
    }

    /// A reactive job that runs on all slots there are.
    static func reactive(workers: Int, splits: [String] = []) -> Story {
        var story = Story()
        story.splits = splits
        for index in 0..<workers { story.connect("w\(index)") }
        story.submit(options(reactive: true))
        story.wait(.seconds(3))
        return story
    }

    static func split(_ id: String, at position: UInt8) -> SplitState {
        SplitState(split: Split(id: id, label: id, payload: []), position: [position], watermark: Int64(position))
    }

    @Test func aTaskManagerThatLeavesIsReplacedAtABarrier() {
        var story = Story.running(Self.options(), workers: 3, parallelism: 2)
        let layout = story.lastLayout(Story.job)!
        let leaver = layout.vertices[0].slots[1]!.worker.description
        story.forget()
        story.say(leaver, .leaving(Leave(reason: "SIGTERM", milliseconds: 25_000)))
        story.wait(.milliseconds(200))
        let next = story.lastLayout(Story.job)!
        #expect(next.epoch == layout.epoch + 1)
        #expect(!next.workers.map(\.description).contains(leaver))
        #expect(next.slot(of: SubtaskID(vertex: 0, index: 0)) == layout.slot(of: SubtaskID(vertex: 0, index: 0)))
        #expect(next.attempt(of: SubtaskID(vertex: 0, index: 0)) == layout.attempt)
        #expect(next.attempt(of: SubtaskID(vertex: 0, index: 1)) == layout.attempt + 1)
        #expect(story.view.restarts == 0 && story.view.layoutChanges == 1)
        #expect(!story.sent.contains { if case .cancel = $0 { true } else { false } })
        story.lose(leaver)
        #expect(story.log.contains("TaskManager \(leaver) has left (SIGTERM)"))
        #expect(!story.log.contains("Lost TaskManager"))
    }

    @Test func whatAChangeMovesIsAddedUp() {
        var story = Story.running(Self.options(), workers: 3, parallelism: 2)
        let layout = story.lastLayout(Story.job)!
        let leaver = layout.vertices[0].slots[1]!.worker.description
        story.obedient = []
        story.say(leaver, .leaving(Leave(reason: "SIGTERM", milliseconds: 25_000)))
        story.wait(.milliseconds(200))
        story.say(leaver, .moved(job: Story.job, layout: layout.epoch + 1, bytes: 1000, isAhead: true))
        #expect(story.machine.view.history.inProgress.map(\.movedBytes) == [1000])
        // Of a layout that is over, or of another's job.
        story.say(leaver, .moved(job: Story.job, layout: layout.epoch, bytes: 7, isAhead: true))
        story.say(leaver, .moved(job: Story.job, layout: layout.epoch + 1, bytes: 50, isAhead: false))
        #expect(story.machine.view.history.inProgress.map(\.movedBytes) == [1050])
        #expect(story.machine.view.history.inProgress.map(\.copiedBytes) == [1000])
        #expect(story.machine.view.history.counts.movedBytes == 1057)
    }

    /// The rows went on: who looks at a vertex's counts must not think that some are lost.
    @Test func countsOfAVertexDoNotFallWhenItsTasksMove() {
        var story = Story.running(Self.options(), workers: 3, parallelism: 2)
        let layout = story.lastLayout(Story.job)!
        func counted(_ rows: Int64, _ index: Int, attempt: UInt32) -> TaskMetrics {
            var metrics = TaskMetrics(task: TaskID(job: Story.job, subtask: SubtaskID(vertex: 0, index: index), attempt: attempt))
            metrics.rowsOut = rows
            return metrics
        }
        func total(_ story: Story) -> Int64 {
            let vertex = story.view.vertices[0]
            return vertex.subtasks.reduce(vertex.replaced?.rowsOut ?? 0) { $0 + ($1.metrics?.rowsOut ?? 0) }
        }
        let leaver = layout.vertices[0].slots[1]!.worker.description, stays = layout.vertices[0].slots[0]!.worker.description
        story.say(stays, .metrics([counted(100, 0, attempt: 1)]))
        story.say(leaver, .metrics([counted(70, 1, attempt: 1)]))
        #expect(total(story) == 170)
        story.say(leaver, .leaving(Leave(reason: "SIGTERM", milliseconds: 25_000)))
        story.wait(.milliseconds(500))
        let next = story.lastLayout(Story.job)!
        #expect(next.epoch > layout.epoch && total(story) == 170)
        let heir = next.vertices[0].slots[1]!.worker.description
        story.say(heir, .metrics([counted(5, 1, attempt: next.attempt(of: SubtaskID(vertex: 0, index: 1)))]))
        #expect(total(story) == 175)
        // Its last words come when the change is over; whatever comes again counts once.
        for _ in 0..<2 { story.say(leaver, .metrics([counted(71, 1, attempt: 1)])) }
        #expect(total(story) == 176)
    }

    /// The last words of a change may come when it is over.
    @Test func whatAChangeMovedMayBeToldLate() {
        var story = Story.running(Self.options(), workers: 3, parallelism: 2)
        let layout = story.lastLayout(Story.job)!
        story.say(layout.vertices[0].slots[1]!.worker.description, .leaving(Leave(reason: "SIGTERM", milliseconds: 25_000)))
        story.wait(.milliseconds(200))
        story.say(layout.vertices[0].slots[0]!.worker.description, .moved(job: Story.job, layout: layout.epoch + 1, bytes: 80, isAhead: false))
        #expect(story.machine.view.history.changes.map(\.movedBytes) == [80])
    }

    /// Nothing runs on it, or what did has moved and only its last words are missing.
    @Test func aTaskManagerThatSaidThatItEndsAndIsNotNeededHasLeft() {
        var story = Story.running(Self.options(), workers: 3, parallelism: 2)
        let layout = story.lastLayout(Story.job)!
        let leaver = layout.vertices[0].slots[1]!.worker.description
        let idle = ["w0", "w1", "w2"].first { !layout.workers.map(\.description).contains($0) }!
        story.connect("late")
        story.say(idle, .leaving(Leave(reason: "nobody needs it", milliseconds: 25_000)))
        story.lose(idle)
        #expect(story.log.contains("TaskManager \(idle) has left (nobody needs it)"))
        // It ends before it says `retired`.
        story.obedience[leaver] = { if case .conclude = $0 { false } else { true } }
        story.say(leaver, .leaving(Leave(reason: "SIGTERM", milliseconds: 25_000)))
        story.wait(.milliseconds(200))
        #expect(story.view.layoutChanges == 1)
        story.lose(leaver)
        #expect(story.log.contains("TaskManager \(leaver) has left (SIGTERM)"))
        #expect(!story.log.contains("Lost TaskManager") && story.machine.view.history.counts.losses == 0)
        #expect(story.view.restarts == 0)
        let reasons = story.machine.view.history.entries.compactMap { if case .left(_, let reason, _) = $0.what { reason } else { nil } }
        #expect(reasons == ["nobody needs it", "SIGTERM"])
    }

    /// What it had is lost, whatever it said before.
    @Test func aTaskManagerThatGoesBeforeItsTasksHaveMovedIsLost() {
        var story = Story.running(Self.options(), workers: 3, parallelism: 2)
        let leaver = story.lastLayout(Story.job)!.vertices[0].slots[1]!.worker.description
        story.obedient = []
        story.say(leaver, .leaving(Leave(reason: "SIGTERM", milliseconds: 25_000)))
        story.lose(leaver)
        #expect(story.log.contains("Lost TaskManager \(leaver): its connection broke"))
        #expect(!story.log.contains("has left"))
    }

    @Test func noticesThatComeTogetherAreOneChange() {
        var story = Self.reactive(workers: 6)
        #expect(story.lastLayout(Story.job)!.workers.count == 6)
        let before = story.view.layoutChanges
        for name in ["w1", "w3", "w5"] { story.say(name, .leaving(Leave(reason: "SIGTERM", milliseconds: 25_000))) }
        story.wait(.milliseconds(200))
        #expect(story.lastLayout(Story.job)!.workers.map(\.description) == ["w0", "w2", "w4"])
        #expect(story.view.layoutChanges == before + 1)
        #expect(story.view.restarts == 0)
    }

    @Test func aReactiveJobGrowsIntoNewSlots() {
        var story = Self.reactive(workers: 2)
        #expect(story.lastLayout(Story.job)!.vertices.map(\.parallelism) == [2, 2])
        story.connect("w9")
        story.wait(.seconds(3))
        #expect(story.lastLayout(Story.job)!.vertices.map(\.parallelism) == [3, 3])
        #expect(story.view.restarts == 0)
    }

    @Test func splitsOfALeavingReaderGoToTheOthers() {
        var story = Self.reactive(workers: 2, splits: ["a", "b"])
        let layout = story.lastLayout(Story.job)!
        story.say("w0", .needsSplits(layout.task(SubtaskID(vertex: 0, index: 0), of: Story.job)))
        story.say("w1", .needsSplits(layout.task(SubtaskID(vertex: 0, index: 1), of: Story.job)))
        story.held = [
            SubtaskID(vertex: 0, index: 0): [Self.split("a", at: 3)], SubtaskID(vertex: 0, index: 1): [Self.split("b", at: 4)],
        ]
        story.forget()
        story.say("w1", .leaving(Leave(reason: "SIGTERM", milliseconds: 25_000)))
        story.wait(.milliseconds(200))
        let given = story.sent(to: "w0").compactMap { if case .splits(_, let splits, _, _) = $0 { splits } else { nil } }.flatMap { $0 }
        #expect(given == [Self.split("b", at: 4)])
        #expect(story.view.restarts == 0)
    }

    @Test func withoutASlotItTakesACheckpointAtTheLastMomentAndRestarts() {
        var story = Story.running(Self.options(), workers: 1, parallelism: 1)
        story.say("w0", .leaving(Leave(reason: "SIGTERM", milliseconds: 25_000)))
        story.wait(.seconds(21))
        #expect(story.phase == .running && story.view.restarts == 0)
        let before = story.view.checkpoints.counts.completed
        story.wait(.milliseconds(1_100))
        #expect(story.phase == .waitingForSlots && story.view.restarts == 1)
        #expect(story.view.checkpoints.counts.completed > before)
        #expect(story.view.failures.isEmpty)
    }

    @Test(arguments: [true, false]) func aCheckpointThatTakesLongMakesWayForAChangeWhenSomebodyLeaves(isAskedFor: Bool) {
        var options = Self.options()
        options.checkpointInterval = isAskedFor ? nil : .seconds(1)
        var story = Story.running(options, workers: 3, parallelism: 2)
        let layout = story.lastLayout(Story.job)!
        let (slow, leaver) = (layout.vertices[0].slots[0]!.worker.description, layout.vertices[0].slots[1]!.worker.description)
        story.obedient.remove(slow)
        if isAskedFor { story.request(.checkpoint(Story.job)) } else { story.wait(.milliseconds(1_010)) }
        let pending = story.triggered.last!
        story.say(leaver, .leaving(Leave(reason: "SIGTERM", milliseconds: 25_000)))
        story.wait(.milliseconds(100))
        story.say(slow, .prepared(job: Story.job, attempt: layout.attempt + 1))
        #expect(story.triggered.last == pending)
        story.wait(.seconds(1))
        // What a user asked for is not given up.
        #expect(story.sent.contains(.aborted(job: Story.job, checkpoint: pending)) == !isAskedFor)
        #expect((story.triggered.last == pending) == isAskedFor)
        #expect(story.phase == .running && story.view.restarts == 0)
        // Nothing failed: who is alarmed by failed checkpoints is not.
        let checkpoints = story.view.checkpoints
        #expect(checkpoints.counts.failed == 0 && checkpoints.newest(.failed) == nil)
        #expect(checkpoints.history.contains { $0.id == pending } == isAskedFor)
        #expect(checkpoints.counts.total == checkpoints.history.count)
    }

    @Test(arguments: [true, false]) func whatAUserAskedForIsGivenUpWhereAChangeHasNoOtherTime(isSavepoint: Bool) {
        var story = Story.running(Self.options(), workers: 3, parallelism: 2)
        let layout = story.lastLayout(Story.job)!
        let (slow, leaver) = (layout.vertices[0].slots[0]!.worker.description, layout.vertices[0].slots[1]!.worker.description)
        story.obedient.remove(slow)
        let ticket = story.request(isSavepoint ? .savepoint(Story.job, kind: .savepoint, directory: nil) : .checkpoint(Story.job))
        let pending = story.triggered.last!
        story.say(leaver, .leaving(Leave(reason: "SIGTERM", milliseconds: 25_000)))
        story.wait(.milliseconds(100))
        story.say(slow, .prepared(job: Story.job, attempt: layout.attempt + 1))
        story.wait(.seconds(19))
        #expect(story.triggered.last == pending && story.reply(ticket) == nil)
        story.wait(.seconds(1))
        let checkpoint = story.triggered.last!
        #expect(checkpoint > pending && story.sent.contains(.aborted(job: Story.job, checkpoint: pending)))
        guard case .refused = story.reply(ticket) else { return #expect(Bool(false), "who asked is told") }
        story.obedient.insert(slow)
        story.acknowledge(slow, attempt: layout.attempt, checkpoint, folder: "\(Story.job)/chk-\(checkpoint)")
        story.settle(slow)
        story.wait(.milliseconds(200))
        #expect(story.view.layoutChanges == 1 && story.view.restarts == 0 && story.phase == .running)
    }

    @Test func aSavepointMakesWayForTheLastCheckpointOfWhoeverHasNowhereToGo() {
        var story = Story.running(Self.options(), workers: 1, parallelism: 1)
        story.obedient.remove("w0")
        let attempt = story.attempt
        let ticket = story.request(.savepoint(Story.job, kind: .savepoint, directory: nil))
        let pending = story.triggered.last!
        story.say("w0", .leaving(Leave(reason: "SIGTERM", milliseconds: 25_000)))
        story.wait(.milliseconds(21_900))
        #expect(story.triggered.last == pending && story.reply(ticket) == nil)
        story.wait(.milliseconds(200))
        let checkpoint = story.triggered.last!
        #expect(checkpoint > pending && story.reply(ticket) != nil)
        story.obedient.insert("w0")
        story.acknowledge("w0", attempt: attempt, checkpoint, folder: "\(Story.job)/chk-\(checkpoint)")
        story.wait(.milliseconds(200))
        #expect(story.view.restarts == 1 && story.view.checkpoints.restored?.checkpoint == checkpoint)
    }

    @Test func theShortestTimeOfALeavingTaskManagerCounts() {
        var story = Story.running(Self.options(), workers: 1, parallelism: 1)
        story.say("w0", .leaving(Leave(reason: "a notice", milliseconds: 110_000)))
        story.say("w0", .leaving(Leave(reason: "SIGTERM", milliseconds: 10_000)))
        story.wait(.milliseconds(7_200))
        #expect(story.phase == .waitingForSlots && story.view.restarts == 1)
    }

    @Test func theTimeOfARecommendationIsNotThatOfTheEnd() {
        var story = Story.running(Self.options(), workers: 1, parallelism: 1)
        story.say("w0", .leaving(Leave(reason: "rebalance", milliseconds: 1_000, ends: false)))
        story.wait(.seconds(5))
        story.say("w0", .leaving(Leave(reason: "a notice", milliseconds: 110_000)))
        story.wait(.seconds(60))
        #expect(story.phase == .running && story.view.restarts == 0)
    }

    @Test func aTaskManagerIsDrainedByWayOfItself() {
        var story = Story.running(Self.options(), workers: 1, parallelism: 1)
        let leave = Leave(reason: "drain", milliseconds: 1_000, ends: false)
        let ticket = story.request(.drain(WorkerID("w0"), leave))
        #expect(story.reply(ticket) == .accepted)
        #expect(story.sent(to: "w0").contains(.leave(leave)))
        let stranger = story.request(.drain(WorkerID("w7"), leave))
        #expect(story.reply(stranger) != .accepted)
    }

    @Test func whoeverIsRecommendedToLeaveStaysWhereThereIsNoRoomAndIsALastResort() {
        var story = Story.running(Self.options(), workers: 2, parallelism: 2)
        story.say("w0", .leaving(Leave(reason: "rebalance", milliseconds: 1_000, ends: false)))
        story.wait(.seconds(10))
        #expect(story.phase == .running && story.view.restarts == 0 && story.view.layoutChanges == 0)
        story.lose("w1")
        story.wait(.seconds(3))
        #expect(story.phase == .waitingForSlots)
        story.connect("w2")
        story.wait(.seconds(3))
        #expect(story.phase == .running)
        #expect(Set(story.lastLayout(Story.job)!.workers.map(\.description)) == ["w0", "w2"])
        // Room elsewhere: it moves there, without a restart.
        story.connect("w3")
        story.wait(.seconds(1))
        #expect(Set(story.lastLayout(Story.job)!.workers.map(\.description)) == ["w2", "w3"])
        #expect(story.view.restarts == 1)
    }

    private static let recommendation = Leave(reason: "rebalance", milliseconds: 86_400_000, ends: false)

    @Test func aNoticeIsObeyedWhereOthersAreOnlyRecommendedToLeave() {
        var story = Story.running(Self.options(), workers: 3, parallelism: 3)
        for name in ["w0", "w1", "w2"] { story.say(name, .leaving(Self.recommendation)) }
        story.wait(.seconds(7))
        story.connect("w3")
        story.wait(.seconds(7))
        story.say("w1", .leaving(Leave(reason: "a notice", milliseconds: 110_000)))
        // The others' notices may follow.
        story.wait(.seconds(5))
        #expect(story.view.layoutChanges == 0)
        story.wait(.seconds(100))
        #expect(story.view.restarts == 0 && story.view.layoutChanges == 1 && story.phase == .running)
        #expect(story.lastLayout(Story.job)!.workers.map(\.description) == ["w0", "w2", "w3"])
        // There is room without them: now they are left, too.
        for name in ["w4", "w5"] { story.connect(name) }
        story.wait(.seconds(1))
        #expect(story.lastLayout(Story.job)!.workers.map(\.description) == ["w3", "w4", "w5"])
        #expect(story.view.restarts == 0 && story.view.layoutChanges == 2)
    }

    @Test func whoIsRecommendedToLeaveIsALastResortForThoseWhoMust() {
        var story = Story.running(Self.options(), workers: 2, parallelism: 1)
        let before = story.lastLayout(Story.job)!.workers.map(\.description)
        for name in ["w0", "w1"] where !before.contains(name) { story.say(name, .leaving(Self.recommendation)) }
        story.say(before[0], .leaving(Leave(reason: "SIGTERM", milliseconds: 25_000)))
        story.wait(.milliseconds(200))
        #expect(story.view.restarts == 0 && story.view.layoutChanges == 1)
        #expect(story.lastLayout(Story.job)!.workers.map(\.description) != before)
    }

    @Test func anotherParallelismIsCarriedOutWhereAllAreRecommendedToLeave() {
        var story = Story.running(Self.options(), workers: 3, parallelism: 3)
        for name in ["w0", "w1", "w2"] { story.say(name, .leaving(Self.recommendation)) }
        story.wait(.seconds(7))
        story.request(.requirements(Story.job, [0: 2...2, 1: 2...2]))
        story.wait(.seconds(1))
        #expect(story.lastLayout(Story.job)!.vertices.map(\.parallelism) == [2, 2])
        #expect(story.view.restarts == 0 && story.view.layoutChanges == 1)
    }

    @Test func aRecommendationThrowsNoDeploymentAway() {
        var story = Story()
        for name in ["w0", "w1"] { story.connect(name, obeys: false) }
        var options = Self.options()
        options.parallelism = 2
        story.submit(options)
        #expect(story.phase == .deploying)
        story.say("w0", .leaving(Self.recommendation))
        for name in ["w0", "w1"] {
            story.obedient.insert(name)
            story.say(name, .deployed(job: Story.job, attempt: story.attempt))
        }
        #expect(story.phase == .running && story.view.restarts == 0)
    }

    @Test func aJobWithoutAFolderForCheckpointsBeginsAnewElsewhere() {
        var options = Self.options()
        options.checkpointDirectory = nil
        options.checkpointInterval = nil
        var story = Story.running(options, workers: 3, parallelism: 2)
        let leaver = story.lastLayout(Story.job)!.vertices[0].slots[1]!.worker.description
        story.say(leaver, .leaving(Leave(reason: "SIGTERM", milliseconds: 25_000)))
        story.wait(.milliseconds(200))
        #expect(story.changes.isEmpty && story.triggered.isEmpty)
        #expect(story.phase == .running && story.view.restarts == 1)
        #expect(!story.lastLayout(Story.job)!.workers.map(\.description).contains(leaver))
        let ticket = story.request(.requirements(Story.job, [0: 1...1, 1: 1...1]))
        guard case .refused(let error) = story.reply(ticket) else { return #expect(Bool(false), "refused") }
        #expect(error.message.contains("execution.checkpointing.dir"))
    }

    @Test func aLossInTheMiddleOfAChangeRecoversFromTheNewestCheckpoint() {
        var story = Story.running(Self.options(), workers: 3, parallelism: 2)
        let layout = story.lastLayout(Story.job)!
        let leaver = layout.vertices[0].slots[1]!.worker.description
        let other = layout.vertices[0].slots[0]!.worker.description
        story.obedient.remove(other)
        story.say(leaver, .leaving(Leave(reason: "SIGTERM", milliseconds: 25_000)))
        story.wait(.milliseconds(200))
        #expect(story.phase == .running)
        story.obedient.insert(other)
        story.lose(leaver)
        story.say(other, .stopped(job: Story.job, attempt: layout.attempt + 1))
        story.wait(.seconds(5))
        #expect(story.phase == .running)
        #expect(story.lastLayout(Story.job)!.attempt > layout.attempt + 1)
    }
}

@Suite struct LayoutPlannerTests {
    private static let graph = Story.graph()

    private static func slots(_ count: Int) -> [Layout.Slot] { (0..<count).map { Layout.Slot(worker: WorkerID("w\($0)"), index: 0) } }

    private static func layout(_ slots: [Layout.Slot]) -> Layout {
        let vertex = Layout.Vertex(slots: slots, owners: KeyGroup.table(parallelism: slots.count, groups: graph.maxParallelism))
        return Layout(epoch: 1, attempt: 1, vertices: [vertex, vertex])
    }

    private static func plan(_ old: Layout, _ slots: [Layout.Slot], _ parallelism: Int) -> Layout {
        LayoutPlanner(graph: graph, old: old, slots: slots, parallelism: [parallelism, parallelism]).plan(attempt: 2)
    }

    private static func moved(_ old: Layout, _ new: Layout) -> Int {
        (0..<graph.maxParallelism).count { group in
            let before = SubtaskID(vertex: 1, index: Int(old.vertices[1].owners[group])), after = SubtaskID(vertex: 1, index: Int(new.vertices[1].owners[group]))
            return old.task(before, of: Story.job) != new.task(after, of: Story.job)
        }
    }

    @Test func growingMovesOnlyTheShareOfTheNew() {
        let old = Self.layout(Self.slots(3)), new = Self.plan(old, Self.slots(4), 4)
        #expect(new.vertices[1].parallelism == 4)
        #expect((0..<4).map { new.vertices[1].groups(of: $0).count } == [2, 2, 2, 2])
        #expect(Self.moved(old, new) == 2)
    }

    @Test func whoStaysKeepsItsNumberWhenTheFirstLeaves() {
        let old = Self.layout(Self.slots(3)), new = Self.plan(old, Array(Self.slots(3).dropFirst()), 2)
        #expect(new.vertices[1].indices == [1, 2])
        #expect(new.vertices[1].slots[0] == nil)
        #expect([1, 2].allSatisfy { new.attempt(of: SubtaskID(vertex: 1, index: $0)) == 1 })
        #expect(Self.moved(old, new) == old.vertices[1].groups(of: 0).count)
        // The gap is filled again.
        let grown = Self.plan(new, Array(Self.slots(4).dropFirst()), 3)
        #expect(grown.vertices[1].indices == [0, 1, 2])
        #expect(grown.attempt(of: SubtaskID(vertex: 1, index: 0)) == 2)
    }

    @Test func moreSlotsThanKeyGroupsLeaveSomeWithout() {
        let old = Self.layout(Self.slots(2)), new = Self.plan(old, Self.slots(11), 11)
        #expect(new.vertices[1].parallelism == 11)
        #expect(Set(new.vertices[1].owners).count == 8)
    }

    @Test func randomChangesKeepEverythingInOnePlace() {
        var random = SeededGenerator(seed: 5)
        var layout = Self.layout(Self.slots(3))
        for step in 0..<300 {
            let count = Int.random(in: 1...9, using: &random)
            let slots = Array(Self.slots(12).shuffled(using: &random).prefix(count)).sorted()
            let kept = slots.filter { layout.usedSlots.contains($0) } + slots.filter { !layout.usedSlots.contains($0) }
            let next = LayoutPlanner(graph: Self.graph, old: layout, slots: kept, parallelism: [count, count]).plan(attempt: UInt32(step + 2))
            for vertex in next.vertices {
                #expect(vertex.parallelism == count)
                #expect(vertex.owners.allSatisfy { vertex.has(Int($0)) })
                let shares = vertex.indices.map { vertex.groups(of: $0).count }
                #expect((shares.max() ?? 0) - (shares.min() ?? 0) <= 1)
                #expect(Set(vertex.slots.compactMap { $0 }).count == count)
            }
            layout = next
        }
    }
}

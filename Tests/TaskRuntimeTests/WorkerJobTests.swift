import Dataflow
import TaskRuntime
import Testing
import Wire

@Suite struct WorkerJobTests {
    private func snapshot(_ vertex: Int, at time: Duration = .zero) -> TaskSnapshot {
        TaskSnapshot(subtask: SubtaskID(vertex: vertex, index: 0), taken: .zero + time)
    }

    private func taken(_ vertex: Int, _ checkpoint: CheckpointID, attempt: UInt32 = 1, at time: Duration = .zero) -> WorkerEvent {
        .task(WorkerStory.task(vertex, attempt), .snapshot(checkpoint, snapshot(vertex, at: time)))
    }

    private func trigger(_ id: CheckpointID, attempt: UInt32 = 1) -> LeaderMessage {
        .trigger(job: job, attempt: attempt, barrier(id), folder: "chk-\(id)", store: nil)
    }

    private let upload = Upload(
        object: nil, bytes: [:], committables: [SubtaskID(vertex: 1, index: 0): [Committable(id: "c", payload: [])]], milliseconds: 3)

    @Test func deploysStartsAndStops() {
        var story = WorkerStory()
        _ = story.register()
        #expect(story.hears(.deploy(WorkerStory.deployment(1))) == ["make 1"])
        #expect(story.hears(.deploy(WorkerStory.deployment(1))) == [])
        #expect(story.on(.made(job: job, attempt: 1, nil)) == ["send deployed 1"])
        #expect(story.hears(.start(job: job, attempt: 1)) == ["start 1"])
        #expect(story.hears(.start(job: job, attempt: 1)) == [])
        #expect(story.hears(.cancel(job: job, attempt: 1)) == ["remove 1"])
        #expect(story.on(.removed(job: job, attempt: 1)) == ["send stopped 1"])
        #expect(story.machine.running == [])
    }

    @Test func whatIsNotThereHasStopped() {
        var story = WorkerStory()
        _ = story.register()
        #expect(story.hears(.cancel(job: job, attempt: 4)) == ["send stopped 4"])
    }

    @Test func aNewerAttemptRemovesTheOlder() {
        var story = WorkerStory.running()
        #expect(story.hears(.deploy(WorkerStory.deployment(2))) == ["remove 1"])
        #expect(story.hears(.deploy(WorkerStory.deployment(1))) == [])
        #expect(story.on(.removed(job: job, attempt: 1)) == ["make 2"])
        #expect(story.on(.made(job: job, attempt: 2, nil)) == ["send deployed 2"])
        #expect(story.hears(.cancel(job: job, attempt: 1)) == ["send stopped 1"])
        #expect(story.hears(.start(job: job, attempt: 1)) == [])
    }

    @Test func aCancelWhileTasksAreMadeWaitsForThem() {
        var story = WorkerStory()
        _ = story.register()
        _ = story.hears(.deploy(WorkerStory.deployment(1)))
        #expect(story.hears(.cancel(job: job, attempt: 1)) == [])
        #expect(story.on(.made(job: job, attempt: 1, nil)) == ["remove 1"])
        #expect(story.on(.removed(job: job, attempt: 1)) == ["send stopped 1"])
    }

    @Test func aNewerAttemptWhileTasksAreMadeWaitsForThem() {
        var story = WorkerStory()
        _ = story.register()
        _ = story.hears(.deploy(WorkerStory.deployment(1)))
        #expect(story.hears(.cancel(job: job, attempt: 1)) == [])
        #expect(story.hears(.deploy(WorkerStory.deployment(2))) == [])
        #expect(story.on(.made(job: job, attempt: 1, nil)) == ["remove 1"])
        #expect(story.on(.removed(job: job, attempt: 1)) == ["send stopped 1", "make 2"])
    }

    @Test func tasksThatCannotBeMadeFail() {
        var story = WorkerStory()
        _ = story.register()
        _ = story.hears(.deploy(WorkerStory.deployment(1)))
        let error = StreamError(.externalSystem, retry: true, "no store")
        #expect(story.on(.made(job: job, attempt: 1, error)) == ["send failed 0/0#1: no store"])
        #expect(story.hears(trigger(1)) == ["send declined 1: the tasks do not run"])
        #expect(story.hears(.cancel(job: job, attempt: 1)) == ["remove 1"])
    }

    @Test func aDamagedGraphFailsTheDeployment() {
        var story = WorkerStory()
        _ = story.register()
        var deployment = WorkerStory.deployment(1)
        deployment.graph = [1, 2]
        let said = story.hears(.deploy(deployment))
        #expect(said.count == 1 && said[0].hasPrefix("send failed 0/0#1"))
    }

    @Test func aCheckpointIsAcknowledgedWhenAllSnapshotsAreDurable() {
        var story = WorkerStory.running()
        #expect(story.hears(trigger(5)) == ["tell 0/0 trigger 5"])
        #expect(story.on(taken(0, 5, at: .milliseconds(10))) == [])
        #expect(story.on(taken(1, 5, at: .milliseconds(50))) == ["upload 5 to chk-5: [\"0/0\", \"1/0\"]"])
        let effects = story.effects(of: .uploaded(job: job, attempt: 1, checkpoint: 5, .success(upload)))
        guard case .send(.acknowledged(let acknowledgement))? = effects.first else { return #expect(Bool(false)) }
        #expect(acknowledgement.tasks.map(\.share.subtask) == [SubtaskID(vertex: 0, index: 0), SubtaskID(vertex: 1, index: 0)])
        #expect(acknowledgement.tasks[1].share.committables.map(\.id) == ["c"])
        #expect(acknowledgement.uploadMilliseconds == 3)
        // The first one waited for the second, whose state goes into the same object.
        #expect(acknowledgement.tasks.map(\.asynchronousMilliseconds) == [43, 3])
        #expect(story.hears(.completed(job: job, checkpoint: 5)) == ["tell 0/0 completed 5", "tell 1/0 completed 5"])
    }

    @Test func snapshotsMayComeBeforeTheTrigger() {
        var story = WorkerStory.running()
        #expect(story.on(taken(1, 5)) == [])
        #expect(story.on(taken(0, 5)) == [])
        #expect(story.hears(trigger(5)) == ["tell 0/0 trigger 5", "upload 5 to chk-5: [\"0/0\", \"1/0\"]"])
    }

    @Test func anAbortedCheckpointIsForgotten() {
        var story = WorkerStory.running()
        _ = story.hears(trigger(5))
        _ = story.on(taken(0, 5))
        #expect(story.hears(.aborted(job: job, checkpoint: 5)) == ["tell 0/0 aborted 5", "tell 1/0 aborted 5"])
        #expect(story.on(taken(1, 5)) == [])
        #expect(story.hears(trigger(5)) == [])
        _ = story.hears(trigger(6))
        _ = story.on(taken(0, 6))
        #expect(story.on(taken(1, 6)) == ["upload 6 to chk-6: [\"0/0\", \"1/0\"]"])
        #expect(story.hears(.aborted(job: job, checkpoint: 6)).count == 2)
        #expect(story.on(.uploaded(job: job, attempt: 1, checkpoint: 6, .success(upload))) == [])
    }

    @Test func aFailedUploadDeclines() {
        var story = WorkerStory.running()
        _ = story.hears(trigger(5))
        _ = story.on(taken(0, 5))
        _ = story.on(taken(1, 5))
        let full = StreamError(.externalSystem, retry: true, "disk full")
        #expect(story.on(.uploaded(job: job, attempt: 1, checkpoint: 5, .failure(full))) == ["send declined 5: disk full"])
    }

    @Test func filesOfASinkThatAreGoneEndTheJobInsteadOfOneCheckpoint() {
        var story = WorkerStory.running()
        _ = story.hears(trigger(5))
        _ = story.on(taken(0, 5))
        _ = story.on(taken(1, 5))
        let gone = StreamError(.user, retry: false, "its upload is gone")
        let effects = story.on(.uploaded(job: job, attempt: 1, checkpoint: 5, .failure(gone)))
        #expect(effects.count == 2)
        #expect(effects.first?.hasPrefix("send failed 0/0") == true)
        #expect(effects.last == "send declined 5: its upload is gone")
    }

    @Test func aTaskThatWentOnDeclinesTheOlderCheckpoint() {
        var story = WorkerStory.running()
        _ = story.hears(trigger(5))
        _ = story.hears(trigger(6))
        _ = story.on(taken(0, 5))
        let said = story.on(taken(1, 6))
        #expect(said.count == 1 && said[0].hasPrefix("send declined 5:"))
        #expect(story.on(taken(0, 6)) == ["upload 6 to chk-6: [\"0/0\", \"1/0\"]"])
    }

    @Test func aFailedTaskIsReportedOnceAndDeclinesWhatIsPending() {
        var story = WorkerStory.running()
        _ = story.hears(trigger(5))
        let error = StreamError(.user, retry: false, "bad row")
        let said = story.on(.task(WorkerStory.task(1), .failed(error)))
        #expect(said.first == "send failed 1/0#1: bad row")
        #expect(said.count == 2 && said[1].hasPrefix("send declined 5"))
        #expect(story.on(.task(WorkerStory.task(1), .failed(error))) == [])
        #expect(story.hears(trigger(6)).first?.hasPrefix("send declined 6") == true)
        #expect(story.machine.running.count == 2)
    }

    @Test func aLostPeerFailsTheTasksThatTalkToIt() {
        var story = WorkerStory.running()
        let said = story.on(.peerLost(WorkerStory.b, reason: "reset"))
        #expect(said.count == 2 && said.allSatisfy { $0.contains("TaskManager b broke: reset") })
        #expect(story.on(.peerLost(WorkerID("c"), reason: "reset")) == [])
        #expect(story.on(.peerLost(WorkerStory.b, reason: "again")) == [])
    }

    @Test func splitsReachTheirTask() {
        var story = WorkerStory.running()
        #expect(story.on(.task(WorkerStory.task(0), .needsSplits)) == ["send needsSplits 0/0"])
        #expect(story.hears(.splits(WorkerStory.task(0), [split("s", rows: 1)], noMore: true)) == ["tell 0/0 splits [\"s\"] noMore"])
        #expect(story.hears(.splits(WorkerStory.task(0, 9), [split("s", rows: 1)], noMore: true)) == [])
    }

    @Test func splitsForTasksThatAreBeingMadeWaitForThem() {
        var story = WorkerStory()
        _ = story.register()
        _ = story.hears(.deploy(WorkerStory.deployment(1)))
        #expect(story.hears(.splits(WorkerStory.task(0), [split("s", rows: 1)], noMore: false)) == [])
        #expect(story.on(.made(job: job, attempt: 1, nil)) == ["send deployed 1", "tell 0/0 splits [\"s\"]"])
    }

    @Test func whatWasSaidWhileNobodyLedIsSaidAgain() {
        var story = WorkerStory.running()
        _ = story.on(.disconnected(reason: "reset"))
        #expect(story.on(.task(WorkerStory.task(0), .needsSplits)) == [])
        #expect(story.on(.task(WorkerStory.task(1), .ended)) == [])
        _ = story.on(.connected)
        #expect(
            story.hears(.registered(heartbeatMilliseconds: 1000, timeoutMilliseconds: 4000), epoch: 2)
                == ["send needsSplits 0/0", "send ended 1/0"])
    }

    @Test func commitsAreCarriedOutOnceAtATime() {
        var story = WorkerStory.running()
        let commit = LeaderMessage.commit(job: job, checkpoint: 3, [.init(vertex: 1, committable: Committable(id: "c", payload: []))])
        #expect(story.hears(commit) == ["commit 3: [\"c\"]"])
        #expect(story.hears(commit) == [])
        #expect(story.on(.committed(job: job, checkpoint: 3, ids: ["c"], nil)) == ["send committed 3: [\"c\"]"])
        #expect(story.hears(commit) == ["commit 3: [\"c\"]"])
        let error = StreamError(.externalSystem, retry: true, "busy")
        #expect(story.on(.committed(job: job, checkpoint: 3, ids: [], error)) == ["send commitFailed 3: busy"])
    }

    @Test func aJobThatWasNeverHereCannotBeCommitted() {
        var story = WorkerStory()
        _ = story.register()
        let commit = LeaderMessage.commit(job: job, checkpoint: 3, [])
        #expect(story.hears(commit).first?.hasPrefix("send commitFailed 3") == true)
    }

    @Test func commitsAfterTheTasksAreGoneStillWork() {
        var story = WorkerStory.running()
        _ = story.hears(.cancel(job: job, attempt: 1))
        _ = story.on(.removed(job: job, attempt: 1))
        let commit = LeaderMessage.commit(job: job, checkpoint: 3, [.init(vertex: 1, committable: Committable(id: "c", payload: []))])
        #expect(story.hears(commit) == ["commit 3: [\"c\"]"])
        #expect(story.hears(.release(job: job)) == ["forget"])
    }

    @Test func aReleaseTakesEverythingAway() {
        var story = WorkerStory.running()
        #expect(story.hears(.release(job: job)) == ["remove 1"])
        #expect(story.on(.removed(job: job, attempt: 1)) == ["forget"])
    }

    @Test func pairsAreCounted() {
        let story = WorkerStory.running()
        #expect(story.machine.coverage["link.registered/message.deploy"] == 1)
        #expect(story.machine.coverage["job.making/made"] == 1)
        #expect(Set(story.machine.coverage.keys).isSubset(of: Set(WorkerMachine.pairs)))
    }

    /// Any events in any order: it never breaks a promise of its own, and never counts a pair that is not listed.
    @Test(arguments: 0..<40) func anyOrderIsSurvived(seed: Int) {
        var generator = SplitMix(seed: UInt64(seed))
        var story = WorkerStory()
        let listed = Set(WorkerMachine.pairs)
        for _ in 0..<600 {
            let attempt = UInt32(1 + generator.below(4))
            let checkpoint = CheckpointID(1 + generator.below(6))
            let vertex = generator.below(2)
            let event: WorkerEvent
            switch generator.below(22) {
            case 0: event = .connected
            case 1: event = .disconnected(reason: "x")
            case 2, 3: event = .message(.registered(heartbeatMilliseconds: 1000, timeoutMilliseconds: 4000), epoch: 1)
            case 4, 5: event = .message(.deploy(WorkerStory.deployment(attempt)), epoch: 1)
            case 6: event = .message(.start(job: job, attempt: attempt), epoch: 1)
            case 7: event = .message(.cancel(job: job, attempt: attempt), epoch: UInt64(generator.below(2)))
            case 8, 9: event = .message(trigger(checkpoint, attempt: attempt), epoch: 1)
            case 10: event = .message(.aborted(job: job, checkpoint: checkpoint), epoch: 1)
            case 11: event = .message(.completed(job: job, checkpoint: checkpoint), epoch: 1)
            case 12, 13: event = .made(job: job, attempt: attempt, generator.chance(20) ? StreamError(.internal, retry: true, "x") : nil)
            case 14: event = .removed(job: job, attempt: attempt)
            case 15, 16, 17: event = taken(vertex, checkpoint, attempt: attempt)
            case 18: event = .task(WorkerStory.task(vertex, attempt), generator.chance(50) ? .needsSplits : generator.chance(50) ? .splitFinished("s") : .ended)
            case 19: event = .uploaded(job: job, attempt: attempt, checkpoint: checkpoint, .success(upload))
            case 20: event = generator.chance(50) ? .peerLost(WorkerStory.b, reason: "x") : .timer
            default: event = .message(generator.chance(10) ? .release(job: job) : .heartbeat(sequence: checkpoint), epoch: 1)
            }
            _ = story.on(event, at: story.time + Int64(generator.below(200)))
        }
        #expect(Set(story.machine.coverage.keys).isSubset(of: listed))
        #expect(story.machine.coverage.count > 60)
    }
}

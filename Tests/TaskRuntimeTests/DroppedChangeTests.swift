import Columnar
import Dataflow
import TaskRuntime
import Testing
import Wire

/// A planned change that the JobManager drops before its barrier, as a TaskManager sees it.
@Suite struct DroppedChangeTests {
    static let c = WorkerID("c")

    /// From a and b, who have a subtask of each vertex, to a and c.
    static func change(_ attempt: UInt32, epoch: LayoutEpoch, subtasks: [SubtaskID] = []) -> Deployment {
        var deployment = WorkerStory.deployment(1)
        var next = deployment.layout
        next.epoch = epoch
        next.attempt = attempt
        for vertex in next.vertices.indices {
            next.vertices[vertex].slots[1] = .init(worker: c, index: 0)
            next.vertices[vertex].attempts = [1, attempt]
        }
        deployment.previous = deployment.layout
        deployment.layout = next
        deployment.subtasks = subtasks
        return deployment
    }

    @Test func whoStaysForgetsTheChangeAndTakesPartInTheNext() {
        var story = WorkerStory.running()
        #expect(story.hears(.change(Self.change(2, epoch: 2))) == ["prepare 2"])
        #expect(story.on(.prepared(job: job, attempt: 2, nil)) == ["send prepared 2"])
        #expect(story.hears(.withdraw(job: job, attempt: 2)) == ["tell 0/0 withdraw layout 2", "tell 1/0 withdraw layout 2", "send withdrawn 2"])
        #expect(story.hears(.withdraw(job: job, attempt: 2)) == ["send withdrawn 2"])
        #expect(story.hears(.change(Self.change(3, epoch: 3))) == ["prepare 3"])
    }

    /// Its tasks have the number of the attempt before the change, and that is all that a new JobManager hears of them.
    @Test func whoStayedThroughAChangeEndsForANewJobManager() {
        var story = WorkerStory.running()
        _ = story.hears(.change(Self.change(2, epoch: 2)))
        _ = story.on(.prepared(job: job, attempt: 2, nil))
        for vertex in 0...1 { _ = story.on(.task(WorkerStory.task(vertex), .settled(2))) }
        _ = story.hears(.conclude(job: job, attempt: 2))
        #expect(story.hears(.cancel(job: job, attempt: 1), epoch: 2) == ["remove 2"])
        #expect(story.on(.removed(job: job, attempt: 2)) == ["send stopped 1"])
    }

    /// c, which a change brings the job to.
    static func joining() -> WorkerStory {
        var story = WorkerStory()
        story.machine = WorkerMachine(
            registration: Registration(worker: c, host: "h", dataPort: 1, slots: 1, memoryBytes: 1, processors: 1, version: "1", running: []),
            options: WorkerOptions(), coverage: true)
        _ = story.register()
        let begins = [SubtaskID(vertex: 0, index: 1), SubtaskID(vertex: 1, index: 1)]
        #expect(story.hears(.change(change(2, epoch: 2, subtasks: begins))) == ["prepare 2"])
        return story
    }

    @Test func whatTheHostStillMakesIsTakenOffWhenItHasAnswered() {
        var story = Self.joining()
        #expect(story.hears(.withdraw(job: job, attempt: 2)) == [])
        #expect(story.on(.prepared(job: job, attempt: 2, nil)) == ["retire 2: [\"0/1\", \"1/1\"]"])
        #expect(story.on(.retired(job: job, attempt: 2)) == ["send withdrawn 2"])
        #expect(story.machine.running.isEmpty)
        #expect(story.hears(.withdraw(job: job, attempt: 2)) == ["send withdrawn 2"])
    }

    @Test func aJobThatEndsWhileTheHostPreparesAChangeLeavesNothing() {
        var story = Self.joining()
        #expect(story.hears(.cancel(job: job, attempt: 2)) == [])
        // Said again by a new JobManager, say.
        #expect(story.hears(.cancel(job: job, attempt: 2), epoch: 2) == [])
        #expect(story.hears(.withdraw(job: job, attempt: 2), epoch: 2) == [])
        #expect(story.on(.prepared(job: job, attempt: 2, nil)) == ["remove 2"])
        #expect(story.on(.prepared(job: job, attempt: 2, nil)) == [])
        #expect(story.on(.removed(job: job, attempt: 2)) == ["send stopped 2"])
        #expect(story.machine.running.isEmpty)
    }

    @Test func aDeploymentAndAReleaseWaitForTheHostToo() {
        var story = Self.joining()
        #expect(story.hears(.deploy(WorkerStory.deployment(3))) == [])
        #expect(story.on(.prepared(job: job, attempt: 2, StreamError(.connection, retry: true, "no route"))) == ["remove 2"])
        #expect(story.on(.removed(job: job, attempt: 2)) == ["make 3"])

        story = WorkerStory.running()
        _ = story.hears(.change(Self.change(2, epoch: 2)))
        // The change is taken back meanwhile, which its end overtakes.
        _ = story.hears(.withdraw(job: job, attempt: 2))
        #expect(story.hears(.release(job: job)) == [])
        #expect(story.on(.prepared(job: job, attempt: 2, nil)) == ["remove 2"])
        #expect(story.on(.removed(job: job, attempt: 2)) == ["forget"])
    }

    @Test func stateThatCannotBeSentIsSaidInsteadOfLost() {
        var story = WorkerStory.running()
        _ = story.hears(.change(Self.change(2, epoch: 2)))
        _ = story.on(.prepared(job: job, attempt: 2, nil))
        let error = StreamError(.internal, retry: true, "no way to 1/1")
        #expect(story.on(.notHandedOver(WorkerStory.task(1), 1, error)) == [])
        #expect(story.on(.notHandedOver(WorkerStory.task(1), 2, error)).map { String($0.prefix(19)) } == ["send cannotChange 2"])
    }

    @Test func theEndOfSomebodyWhoOnlyJoinsFailsNoTask() {
        var story = WorkerStory.running()
        _ = story.hears(.change(Self.change(2, epoch: 2)))
        let said = story.on(.peerLost(Self.c, of: job, attempt: 2, reason: "reset"))
        #expect(said.count == 1 && said[0].hasPrefix("send cannotChange 2"))
        #expect(story.on(.peerLost(Self.c, of: job, attempt: 2, reason: "reset")) == [])
        // A channel that holds leads to b.
        #expect(story.on(.peerLost(WorkerStory.b, of: job, attempt: 1, reason: "reset")).contains { $0.hasPrefix("send failed") })
    }

    @Test func snapshotsOfAChangeThatCouldNotBeWrittenAreWrittenAgainElsewhere() {
        var story = WorkerStory.running()
        _ = story.hears(.change(Self.change(2, epoch: 2)))
        _ = story.on(.prepared(job: job, attempt: 2, nil))
        func order(_ folder: String) -> LeaderMessage {
            .trigger(job: job, attempt: 1, Barrier(checkpoint: 5, kind: .checkpoint, layout: 2), folder: folder, store: nil)
        }
        _ = story.hears(order("f"))
        var said: [String] = []
        for vertex in 0...1 {
            said = story.on(.task(WorkerStory.task(vertex), .snapshot(5, TaskSnapshot(subtask: SubtaskID(vertex: vertex, index: 0)))))
        }
        #expect(said == ["upload 5 to f: [\"0/0\", \"1/0\"]"])
        let failure = StreamError(.externalSystem, retry: true, "503")
        #expect(story.on(.uploaded(job: job, attempt: 1, checkpoint: 5, .failure(failure))).map { String($0.prefix(15)) } == ["send declined 5"])
        #expect(story.hears(order("f/again-1")).contains("upload 5 to f/again-1: [\"0/0\", \"1/0\"]"))
        let upload = Upload(object: nil, bytes: [:], milliseconds: 1)
        #expect(story.on(.uploaded(job: job, attempt: 1, checkpoint: 5, .success(upload))) == ["send acknowledged 5"])
    }
}

import Dataflow
import JobControl
import Testing
import Wire

struct WalkStories {
    /// Whatever happens in whatever order, the machine keeps its invariants, and with enough TaskManagers the job runs in the end.
    @Test(arguments: 0..<60) func anyOrderOfTroublesEndsWithARunningJob(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        func pick(_ count: Int) -> Int { Int(chance.next() % UInt64(count)) }
        var options = Story.options()
        options.parallelism = 2
        options.tolerableFailedCheckpoints = 1
        options.checkpointTimeout = .seconds(4)
        options.restart = .exponentialDelay(
            initial: .milliseconds(100), maximum: .seconds(2), multiplier: 2, resetAfter: .seconds(60), jitter: 0.1, attempts: .max)
        var story = Story(seed: seed)
        story.splits = ["a", "b", "c"]
        story.isComplete = false
        story.submit(options)
        for step in 0..<120 {
            let name = "w\(pick(4))"
            switch pick(14) {
            case 0, 1, 2: story.connect(name, obeys: pick(5) > 0)
            case 3: story.lose(name)
            case 4: story.say(name, .failed(story.task(pick(2), pick(2)), StreamError(.internal, retry: true, "step \(step)")))
            case 5: story.say(name, .stopped(job: Story.job, attempt: story.attempt))
            case 6: story.say(name, .deployed(job: Story.job, attempt: story.attempt))
            case 7: story.request(.savepoint(Story.job, kind: .savepoint, directory: nil))
            case 8:
                story.storeAnswers.toggle()
                if story.storeAnswers { story.answerAll() }
            case 9:
                // A store that lies: it did, or did not, and says that it does not know.
                if let (ticket, store, request) = story.nextAsked() {
                    if pick(2) == 0 { _ = story.perform(store, request) }
                    story.tell(.stored(ticket, .failed("timeout", mayHaveHappened: true)))
                }
            case 10: story.say(name, .declined(job: Story.job, attempt: story.attempt, checkpoint: story.triggered.last ?? 1, reason: "no"))
            case 11: story.say(name, .leaving(Leave(reason: "SIGTERM", milliseconds: 25_000)))
            default: story.wait(.milliseconds(Int64(pick(3000))))
            }
        }
        story.storeAnswers = true
        story.answerAll()
        for index in 0..<4 { story.lose("w\(index)") }
        for index in 5..<8 { story.connect("w\(index)") }
        story.wait(.seconds(20))
        story.answerAll()
        #expect(story.phase == .running)
        let completed = story.view.checkpoints.counts.completed
        story.wait(.seconds(5))
        #expect(story.view.checkpoints.counts.completed > completed)
        let ids = story.triggered
        #expect(ids == ids.sorted())
        story.request(.cancel(Story.job))
        story.wait(.seconds(1))
        #expect(story.view.status == .cancelled)
        #expect(story.machine.view.freeSlots == story.machine.view.totalSlots)
    }
}

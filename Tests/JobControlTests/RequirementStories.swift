import Columnar
import Dataflow
import JobControl
import Testing
import Wire

/// The parallelism that users ask for outlives the JobManager.
@Suite struct RequirementStories {
    private static func asked(_ count: Int) -> [Int: ClosedRange<Int>] { [0: count...count, 1: count...count] }

    private static func next(after story: Story, workers: Int) -> Story {
        var next = Story(seed: 2)
        next.objects = story.objects
        for index in 0..<workers { next.connect("n\(index)") }
        var options = LayoutStories.options()
        options.parallelism = 2
        next.submit(options)
        return next
    }

    @Test func theNextJobManagerAsksForTheSame() {
        var story = Story.running(LayoutStories.options(), workers: 2, parallelism: 2)
        let ticket = story.request(.requirements(Story.job, Self.asked(1)))
        guard case .accepted = story.reply(ticket) else { return #expect(Bool(false), "accepted") }
        let next = Self.next(after: story, workers: 1)
        #expect(next.phase == .running)
        #expect(next.lastLayout(Story.job)!.vertices.map(\.parallelism) == [1, 1])
    }

    @Test func itIsAnsweredWhenItIsKept() {
        var story = Story.running(LayoutStories.options(), workers: 2, parallelism: 2)
        story.storeAnswers = false
        let ticket = story.request(.requirements(Story.job, Self.asked(1)))
        #expect(story.reply(ticket) == nil)
        story.answerAll()
        #expect(story.reply(ticket) != nil)
    }

    @Test func whatNeedsMoreSlotsThanThereAreIsSaidAndDoneLater() {
        var story = Story.running(LayoutStories.options(), workers: 2, parallelism: 2)
        story.forget()
        story.request(.requirements(Story.job, [0: 3...3, 1: 3...3]))
        #expect(story.log.contains("a client asks for another parallelism: Source: in 3 to 3, Sink: out 3 to 3"))
        #expect(story.view.waitsFor?.contains("at least 3, there are 2") == true && story.log.contains("waits for task slots"))
        story.connect("late")
        story.wait(.seconds(3))
        #expect(story.lastLayout(Story.job)!.vertices.map(\.parallelism) == [3, 3] && story.view.waitsFor == nil)
    }

    @Test func whoHasNowhereToGoSaysSoAtOnce() {
        var story = Story.running(LayoutStories.options(), workers: 2, parallelism: 2)
        story.forget()
        story.say("w1", .leaving(Leave(reason: "SIGTERM", milliseconds: 25_000)))
        story.wait(.seconds(1))
        #expect(story.log.split(separator: "\n").count { $0.contains("has no free slot to move to: TaskManager w1 leaving. It waits 2") } == 1)
        #expect(story.view.waitsFor?.contains("no free slot") == true)
        story.connect("w2")
        story.wait(.seconds(1))
        #expect(story.view.waitsFor == nil && story.view.restarts == 0 && story.view.layoutChanges == 1)
    }

    /// Its TaskManagers may only come late: that is no reason to end a job for good.
    @Test func aJobThatRanUnderAnotherJobManagerIsRestartedForWantOfSlots() {
        let story = Story.running(LayoutStories.options(), workers: 2, parallelism: 2)
        var next = Self.next(after: story, workers: 1)
        next.wait(.seconds(310))
        #expect(next.phase != .ended)
        next.connect("late")
        next.wait(.seconds(310))
        #expect(next.phase == .running)
    }

    @Test func ofAChangedScriptOnlyWhatIsStillThereIsAskedFor() {
        var story = Story.running(LayoutStories.options(), workers: 2, parallelism: 2)
        story.request(.requirements(Story.job, Self.asked(1)))
        let key = "\(Story.job)/HEAD"
        var head = SealedJSON.decode(Head.self, story.objects["/chk"]![key]!.bytes)!
        #expect(head.requirements == ["a": 1...1, "b": 1...1])
        head.requirements = ["a": 1...1, "gone": 3...3]
        story.objects["/chk"]![key] = (SealedJSON.encode(head), "other")
        let next = Self.next(after: story, workers: 2)
        #expect(next.phase == .running)
        #expect(next.lastLayout(Story.job)!.vertices.map(\.parallelism) == [1, 2])
    }
}

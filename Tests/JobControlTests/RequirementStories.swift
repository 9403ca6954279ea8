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

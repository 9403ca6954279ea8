import Columnar
import Dataflow
import JobControl
import Testing
import Wire

/// Who is asked to commit.
@Suite struct CommitStories {
    /// TaskManagers that were asked for commits of the first checkpoint, with how many.
    private func asked(_ options: [String: String]) -> [String: Int] {
        var graph = Story.graph()
        let sink = OperatorSpec.sink(SinkSpec(table: "out", options: options, schema: Schema([])))
        graph.vertices[1].chain = [ChainedOperator(uid: "t", name: "Sink: out", spec: sink, output: Schema([]))]
        var story = Story()
        let names = ["w0", "w1", "w2"]
        for name in names { story.connect(name) }
        for index in 0..<3 { story.committables[SubtaskID(vertex: 1, index: index)] = ["f\(index)"] }
        var job = Story.options()
        job.parallelism = 3
        story.submit(job, graph: graph)
        story.wait(.milliseconds(1100))
        var counts: [String: Int] = [:]
        for name in names {
            for case .commit(_, 1, let commits) in story.sent(to: name) { counts[name, default: 0] += commits.count }
        }
        return counts
    }

    @Test func eachTaskManagerCommitsWhatItsSubtasksWrote() {
        #expect(asked(["path": "s3://bucket/out"]) == ["w0": 1, "w1": 1, "w2": 1])
        #expect(asked(["path": "/folder", "auto-compaction": "true"]) == ["w0": 1, "w1": 1, "w2": 1])
    }

    @Test func whereSmallFilesInABucketAreMergedOneTaskManagerCommitsAllOfACheckpoint() {
        #expect(asked(["path": "s3a://bucket/out", "auto-compaction": "TRUE"]).map(\.value) == [3])
    }
}

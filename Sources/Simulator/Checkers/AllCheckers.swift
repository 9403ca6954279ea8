import Dataflow

extension SimulatedCluster {
    static func makeCheckers(
        job: SimulatedJob, graph: JobGraph, world: ConnectorWorld, bucket: SimulatedBucket, isPlanned: Bool
    ) -> [(name: String, checker: any Checker)] {
        [
            ("Head", HeadChecker()), ("Collector", CollectorChecker()), ("AtMostOneAttempt", AttemptChecker()), ("Slots", SlotChecker()),
            ("LayoutChange", LayoutChecker(graph: graph)),
            ("Planned", PlannedChecker(graph: graph, isPlanned: isPlanned)),
            ("Watermarks", WatermarkChecker(graph: graph, idles: job.union != nil && job.isWatched)), ("Credits", CreditChecker(capacity: job.channelCapacity)),
            ("Heartbeats", HeartbeatChecker(timeout: .seconds(4))), ("Aligner", AlignmentChecker(job: job, world: world, bucket: bucket)),
            ("Bucket", BucketChecker()), ("ReadingOrder", ReadingOrderChecker(job: job)),
        ]
    }
}

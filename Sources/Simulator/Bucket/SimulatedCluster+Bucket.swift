import Connectors
import Dataflow

extension SimulatedCluster {
    /// How the next request goes: as the job's bucket has it, and as the store does at present.
    func bucketMood() -> BucketMood {
        let conditions = store.conditions
        let more = isHealed || !options.isDisturbed || plan.isPlanned ? 0 : job.bucket?.trouble ?? 0
        if chance.chance(max(more, conditions.unavailable)) {
            tally.count(.bucketUnavailable)
            return .unavailable
        }
        if chance.chance(max(more, conditions.requestLost)) {
            tally.count(.bucketRequestLost)
            return .requestLost
        }
        if chance.chance(max(more, conditions.answerLost)) {
            tally.count(.bucketAnswerLost)
            return .answerLost
        }
        if chance.chance(max(more, conditions.late)) {
            tally.count(.bucketLate)
            return .late(chance.duration(.zero, conditions.lateMost))
        }
        return .well
    }

    func bucketDelay() -> Duration {
        chance.duration(.milliseconds(1), isHealed || chance.chance(0.7) ? .milliseconds(50) : job.bucket?.slowest ?? .milliseconds(50))
    }

    /// The real sink's connectors, in the process `host`.
    func buckets(for host: SimulatedTaskManager) -> Buckets {
        let calls = BucketCalls(bucket: bucket, cluster: self)
        let process = BucketProcess(cluster: self, host: host)
        return Buckets(
            open: { (_, _) throws(StreamError) in calls }, makeLine: { BucketLine(host: process.host) }, leastPartBytes: 1, draw: { process.draw() },
            faults: faults)
    }
}

/// One thread runs a whole cluster.
private struct BucketProcess: @unchecked Sendable {
    unowned let cluster: SimulatedCluster
    let host: SimulatedTaskManager

    /// Names' numbers come from the run's seed.
    func draw() -> UInt32 { UInt32(truncatingIfNeeded: cluster.chance.next()) }
}

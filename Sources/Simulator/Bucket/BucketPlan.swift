import Dataflow

/// A sink that is the real one for files in a bucket, and how that bucket behaves.
package struct BucketPlan: Sendable {
    package var partBytes: Int
    package var fileBytes: Int
    package var age: Duration
    package var partsInFlight: Int
    /// How long a call waits for its turn at most.
    package var slowest: Duration
    /// Share of requests that go wrong, of each kind.
    package var trouble: Double
    /// `auto-compaction`: bytes of a file that is made of small ones. Nil: none are.
    package var mergesTo: Int?

    static func draw(_ random: inout Chance) -> BucketPlan {
        var plan = BucketPlan(
            partBytes: random.pick([20, 80, 300]), fileBytes: random.pick([600, 5_000, 100_000]), age: random.duration(.seconds(30), .seconds(300)),
            partsInFlight: random.int(1...3), slowest: random.pick([.milliseconds(50), .seconds(2), .seconds(10)]), trouble: random.pick([0, 0.03, 0.1]))
        // Drawn apart: what a seed draws next stays as it was.
        var apart = Chance(seed: UInt64(plan.age.nanoseconds))
        guard apart.chance(0.4) else { return plan }
        plan.mergesTo = apart.pick([600, 5_000])
        plan.partBytes = apart.pick([300, 3_000])
        // Mostly less than a checkpoint's interval: files of all subtasks end together.
        plan.age = apart.duration(.seconds(1), .seconds(15))
        return plan
    }

    /// Of the table.
    var options: [String: String] {
        let merging = mergesTo.map { ["auto-compaction": "true", "compaction.file-size": "\($0)b"] } ?? [:]
        return [
            "connector": "filesystem", "path": "s3://bucket/out", "format": "csv", "s3.upload.min.part.size": "\(partBytes)b",
            "s3.upload.max.concurrent.uploads": "\(partsInFlight)", "sink.rolling-policy.file-size": "\(fileBytes)b",
            "sink.rolling-policy.rollover-interval": "\(age.milliseconds) ms", "sink.rolling-policy.check-interval": "5 s",
        ].merging(merging) { $1 }
    }
}

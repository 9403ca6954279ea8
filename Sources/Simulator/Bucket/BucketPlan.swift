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

    static func draw(_ random: inout Chance) -> BucketPlan {
        BucketPlan(
            partBytes: random.pick([20, 80, 300]), fileBytes: random.pick([600, 5_000, 100_000]), age: random.duration(.seconds(30), .seconds(300)),
            partsInFlight: random.int(1...3), slowest: random.pick([.milliseconds(50), .seconds(2), .seconds(10)]), trouble: random.pick([0, 0.03, 0.1]))
    }

    /// Of the table.
    var options: [String: String] {
        [
            "connector": "filesystem", "path": "s3://bucket/out", "format": "csv", "s3.upload.min.part.size": "\(partBytes)b",
            "s3.upload.max.concurrent.uploads": "\(partsInFlight)", "sink.rolling-policy.file-size": "\(fileBytes)b",
            "sink.rolling-policy.rollover-interval": "\(age.milliseconds) ms", "sink.rolling-policy.check-interval": "5 s",
        ]
    }
}

import Dataflow

/// How connectors come to buckets: from S3, unless tests give something else.
package struct Buckets: Sendable {
    /// By name and the table's options.
    package var open: @Sendable (String, [String: String]) throws(StreamError) -> any Bucket
    package var makeLine: @Sendable () -> any UploadLine
    /// S3 refuses smaller parts, but for the last one.
    package var leastPartBytes: Int64
    /// What makes names unique.
    package var draw: @Sendable () -> UInt32
    package var faults: Set<SeededFault>

    package init(
        open: @escaping @Sendable (String, [String: String]) throws(StreamError) -> any Bucket,
        makeLine: @escaping @Sendable () -> any UploadLine = { ThreadedLine() }, leastPartBytes: Int64 = 5 << 20,
        draw: @escaping @Sendable () -> UInt32 = { .random(in: 0...(.max)) }, faults: Set<SeededFault> = []
    ) {
        self.open = open
        self.makeLine = makeLine
        self.leastPartBytes = leastPartBytes
        self.draw = draw
        self.faults = faults
    }
}

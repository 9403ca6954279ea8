/// What the configuration says about tasks.
package struct TaskOptions: Hashable, Sendable {
    /// Batches that one channel may hold at its receiver. The same at both ends.
    package var channelCapacity = 8
    /// Rows a batch at most.
    package var batchRows = 8192

    package init(channelCapacity: Int = 8, batchRows: Int = 8192) {
        self.channelCapacity = channelCapacity
        self.batchRows = batchRows
    }
}

/// What one key group gets and holds, as the subtask that owns it tells.
package struct KeyGroupLoad: Hashable, Sendable {
    package var group: Int
    /// Since the subtask has it; estimated from some of the batches.
    package var rows: Int64
    /// As the last checkpoint wrote it; -1: not known.
    package var stateBytes: Int64

    package init(group: Int, rows: Int64, stateBytes: Int64 = -1) {
        self.group = group
        self.rows = rows
        self.stateBytes = stateBytes
    }
}

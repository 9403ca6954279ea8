/// Key hash → key group → subtask. Fixed for the life of a job and part of every checkpoint.
///
/// Group = high bits of the hash by multiply-shift; tables use the low bits.
package enum KeyGroup {
    @inlinable package static func of(hash: UInt64, groups: Int) -> Int {
        Int(((hash &>> 32) &* UInt64(truncatingIfNeeded: groups)) &>> 32)
    }

    /// The groups of one of `parallelism` subtasks: Flink's ranges, contiguous and even. Parallelism above `groups` leaves
    /// some subtasks without groups.
    package static func range(of subtask: Int, parallelism: Int, groups: Int) -> Range<Int> {
        (subtask * groups + parallelism - 1) / parallelism..<((subtask + 1) * groups + parallelism - 1) / parallelism
    }

    /// For each group the subtask that owns it.
    package static func table(parallelism: Int, groups: Int) -> [UInt16] {
        var owners = [UInt16](repeating: 0, count: groups)
        for subtask in 0..<parallelism {
            for group in range(of: subtask, parallelism: parallelism, groups: groups) { owners[group] = UInt16(subtask) }
        }
        return owners
    }
}

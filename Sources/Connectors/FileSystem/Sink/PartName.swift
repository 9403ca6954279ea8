import Dataflow

/// Names that no restore, rescale or second job can give twice: `part-<job>-<vertex>-<subtask>-<attempt>-<salt>-<counter>`. The salt is drawn by
/// each writer: a subtask may come back within an attempt, and a job that lost its HEAD counts its attempts from 1 again.
///
/// On local disks files are hidden while rows are written and until the checkpoint that covers them is complete.
struct PartName: Equatable, Sendable {
    var job: JobID
    var vertex: Int
    var subtask: Int
    var attempt: UInt32
    var salt: UInt32
    var counter: Int
    /// `.gz` or nothing.
    var suffix = ""

    static func prefix(_ job: JobID, _ vertex: Int) -> String { "part-\(job)-\(vertex)-" }
    private static let hiddenSuffix = ".inprogress"

    var name: String { PartName.prefix(job, vertex) + "\(subtask)-\(attempt)-\(PartName.hex(salt))-\(counter)\(suffix)" }
    var hiddenName: String { PartName.hidden(name) }

    static func hidden(_ name: String) -> String { "." + name + hiddenSuffix }
    static func isHidden(_ name: String) -> Bool { name.hasPrefix(".part-") && name.hasSuffix(hiddenSuffix) }

    /// The name, or path, of the file that begins with this one's rows (`auto-compaction`).
    static func merged(_ first: String) -> String {
        let suffix = first.hasSuffix(".gz") ? ".gz" : ""
        return first.dropLast(suffix.count) + "-merged" + suffix
    }

    static func hex(_ number: UInt32) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// The attempt of a hidden file of this job and vertex; nil for any other file.
    static func attempt(ofHidden name: String, _ job: JobID, _ vertex: Int) -> UInt32? {
        let start = "." + prefix(job, vertex)
        guard name.hasPrefix(start), name.hasSuffix(hiddenSuffix) else { return nil }
        let parts = name.dropFirst(start.count).dropLast(hiddenSuffix.count).split(separator: "-")
        // Four since names carry a salt.
        return parts.count == 3 || parts.count == 4 ? UInt32(parts[1]) : nil
    }

    /// `part-<job>-<vertex>` of a name, to tell whose it is; nil for a name that is none of ours.
    static func owner(of name: String) -> String? {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 6, parts[0] == "part" else { return nil }
        return parts[..<3].joined(separator: "-")
    }

    static func job(ofOwner owner: String) -> JobID? { owner.split(separator: "-").dropFirst().first.flatMap { JobID(String($0)) } }
}

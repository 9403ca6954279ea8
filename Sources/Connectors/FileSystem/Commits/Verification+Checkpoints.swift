import Dataflow

// What the checkpoints of the jobs that wrote a table say of it.
extension Verification {
    /// Compares with a job whose HEAD was read after the table was looked at. `checkpoints`: those that HEAD names, in any order.
    package mutating func compare(_ table: TableFiles, head: Head, checkpoints: [Manifest]) {
        let chain = checkpoints.sorted { $0.checkpoint < $1.checkpoint }
        findOlderHead(head)
        if let newest = chain.last { findOpenCommits(table, newest) }
        contradictions += SourcePosition.falls(along: chain).map { "job \(head.job): \($0)" }
        if let newest = chain.last {
            positions += SourcePosition.all(in: newest).map { "checkpoint \(newest.checkpoint) of job \(head.job): \($0)" }
        }
    }

    /// A commit follows after HEAD names its checkpoint: files of later ones say that HEAD was put back.
    private mutating func findOlderHead(_ head: Head) {
        let newest = head.retained.map(\.checkpoint).max() ?? head.lastCheckpoint
        let later = listed.values.filter { $0.checkpoint > newest && PartName.owner(of: FilePath.name($0.path)).flatMap { PartName.job(ofOwner: $0) } == head.job }
        guard let example = later.min(by: { $0.path < $1.path }) else { return }
        contradictions.append(
            "job \(head.job): its HEAD names checkpoint \(newest), and \(later.count) committed file\(later.count == 1 ? " is" : "s are") of later ones, such as "
                + "\(example.path) of checkpoint \(example.checkpoint): HEAD was put back, and a start from there writes their rows again")
    }

    /// What the newest checkpoint still has to commit, or had to when it was taken.
    private mutating func findOpenCommits(_ table: TableFiles, _ manifest: Manifest) {
        let owners = Set(table.owners), there = Set(table.files.map { ExactText($0.path) })
        let merged = Set(listed.values.flatMap { $0.merged ?? [] }.map { ExactText($0) })
        let open = (manifest.subtasks.flatMap(\.committables) + manifest.uncommitted.map(\.committable)).compactMap { PendingPart($0, of: table) }
        var mergesNow: [ExactText: CommitList.Entry] = [:]
        for entry in table.mergesUnderWay(of: Set(open.map(\.file.checkpoint))) { for part in entry.parts { mergesNow[ExactText(part)] = entry } }
        for pending in open where pending.isInBucket || owners.contains(pending.owner) {
            let path = ExactText(pending.file.path)
            if listed[path].map({ $0.bytes >= pending.file.bytes }) ?? merged.contains(path) { continue }
            let words = "\(pending.file.path): checkpoint \(manifest.checkpoint) of job \(manifest.job) is complete"
            if there.contains(path) {
                // Visible and not listed: the commit was cut off before it was acknowledged, or goes on right now.
                foreign.removeAll { ExactText($0) == path }
                uncommitted.append("\(words), the file is there, and its commit was not acknowledged (\(pending.file.rows) rows)")
            } else if let whole = mergesNow[path], there.contains(ExactText(whole.path)) || table.hidden.contains(PendingPart.hidden(whole.path)) {
                foreign.removeAll { ExactText($0) == ExactText(whole.path) }
                uncommitted.append("\(words), it was merged into \(whole.path), and its commit was not acknowledged (\(pending.file.rows) rows)")
            } else if table.uploads.contains(pending.source) || table.hidden.contains(pending.source) {
                uncommitted.append("\(words), and its commit was not acknowledged (\(pending.file.rows) rows)")
            } else {
                missing.append("\(words), and neither the file nor what it is made from is there: \(pending.file.rows) rows")
            }
        }
    }
}

/// A file that a checkpoint is to commit.
private struct PendingPart {
    var file: FinishedFile
    /// As `TableFiles` knows it.
    var source: ExactText
    var isInBucket: Bool
    var owner: String

    /// Nil: it is something else, or another table's.
    init?(_ committable: Committable, of table: TableFiles) {
        if PendingUpload.isOne(committable), let pending = try? PendingUpload(committable) {
            guard table.path(ofKey: pending.key) == pending.file.path else { return nil }
            (file, source, isInBucket) = (pending.file, TableFiles.upload(pending.file.path, pending.upload), true)
        } else if SmallPart.isOne(committable), let pending = try? SmallPart(committable) {
            guard let path = table.path(ofKey: pending.key), SmallPart.key("", pending.file.path) == path else { return nil }
            (file, source, isInBucket) = (pending.file, ExactText(path), true)
        } else if PendingFile.isOne(committable), let pending = try? PendingFile(committable), pending.file.checkpoint > 0 {
            (file, source, isInBucket) = (pending.file, PendingPart.hidden(pending.file.path), false)
        } else {
            return nil
        }
        guard let owner = PartName.owner(of: FilePath.name(file.path)) else { return nil }
        self.owner = owner
    }

    /// The path of the hidden file that gets this one.
    static func hidden(_ path: String) -> ExactText {
        let name = PartName.hidden(FilePath.name(path)), folder = FilePath.folder(of: path)
        return ExactText(folder.isEmpty ? name : "\(folder)/\(name)")
    }
}

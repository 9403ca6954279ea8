import Dataflow

/// What commits say against what lies there.
package struct Verification {
    /// Files that are listed and there as they should be, with their rows and bytes.
    package private(set) var good = (files: 0, rows: Int64(0), bytes: Int64(0))
    /// Listed, and not there.
    package var missing: [String] = []
    /// Listed, and there with other bytes; in words.
    package private(set) var changed: [String] = []
    /// There, and listed by no commit.
    package var foreign: [String] = []
    /// The same rows as another file of the same subtask that another attempt wrote; in words.
    package private(set) var doubled: [String] = []
    /// Neither visible nor lost: written and not (yet) committed.
    package var uncommitted: [String]
    /// What a job's checkpoints say and what lies here cannot both be; in words.
    package var contradictions: [String] = []
    /// Where the newest checkpoints read on; in words.
    package var positions: [String] = []

    let listed: [ExactText: CommitList.Entry]

    package var isGood: Bool { missing.isEmpty && changed.isEmpty && foreign.isEmpty && doubled.isEmpty && contradictions.isEmpty }

    /// `checksContents`: reads every byte, not only sizes. `progress`: files looked at, of how many.
    package init(_ table: TableFiles, checksContents: Bool = true, progress: (Int, Int) -> Void = { _, _ in }) throws(StreamError) {
        uncommitted = table.uncommitted
        var listed: [ExactText: CommitList.Entry] = [:]
        let (entries, damaged) = try table.entries()
        changed = damaged
        uncommitted = (uncommitted + table.unmerged(entries)).sorted()
        for entry in entries {
            if let other = listed[ExactText(entry.path)], (other.bytes, other.crc32c) != (entry.bytes, entry.crc32c) {
                changed.append("\(entry.path): two commits list it, with \(other.bytes) and \(entry.bytes) bytes")
            }
            listed[ExactText(entry.path)] = entry
        }
        self.listed = listed
        let there = Set(table.files.map { ExactText($0.path) })
        var alike: [CommitList.Entry] = []
        for file in table.files {
            guard let entry = listed[ExactText(file.path)] else {
                foreign.append(file.path)
                continue
            }
            if entry.bytes == file.bytes {
                alike.append(entry)
            } else {
                changed.append("\(file.path): \(file.bytes) bytes are there, \(entry.bytes) were committed")
            }
        }
        let step = 64
        for start in stride(from: 0, to: alike.count, by: step) {
            progress(start, alike.count)
            let entries = alike[start..<min(start + step, alike.count)]
            let checksums = checksContents ? try table.checksums(entries.map(\.path)) : entries.map(\.crc32c)
            for (entry, checksum) in zip(entries, checksums) {
                guard checksum == entry.crc32c else {
                    changed.append("\(entry.path): its \(entry.bytes) bytes are not those that were committed")
                    continue
                }
                good.files += 1
                good.rows += entry.rows
                good.bytes += entry.bytes
            }
        }
        progress(alike.count, alike.count)
        missing = listed.keys.filter { !there.contains($0) }.sorted().map(\.text)
        findUnlisted(listed, there)
        let visible = listed.values.filter { there.contains(ExactText($0.path)) && $0.rows > 0 }
        findDoubled(visible)
        findForked(visible)
    }

    /// With only those troubles that another look found, too: what a running job did between two calls is none.
    package func confirmed(by other: Verification) -> Verification {
        var both = other
        func common(_ one: [String], _ two: [String]) -> [String] {
            let one = Set(one)
            return two.filter { one.contains($0) }
        }
        both.missing = common(missing, other.missing)
        both.changed = common(changed, other.changed)
        both.foreign = common(foreign, other.foreign)
        both.doubled = common(doubled, other.doubled)
        both.contradictions = common(contradictions, other.contradictions)
        return both
    }

    /// A file says which ones its writer ended before: a list that is gone is missed by the next.
    private mutating func findUnlisted(_ listed: [ExactText: CommitList.Entry], _ there: Set<ExactText>) {
        let known = there.union(listed.keys).union(listed.values.flatMap { $0.merged ?? [] }.map { ExactText($0) })
        let unlisted = Set(listed.values.flatMap { $0.after ?? [] }.map { ExactText($0) }).subtracting(known)
        missing += unlisted.sorted().map { "\($0.text), and the list that named it" }
    }

    /// A job that began from another's savepoint reads again what that one wrote after it.
    private mutating func findForked(_ entries: [CommitList.Entry]) {
        /// By the job that went on, where others began; with one of theirs.
        var forks: [String: [(checkpoint: UInt64, by: String)]] = [:]
        for entry in entries.sorted(by: { $0.path < $1.path }) {
            guard let parts = entry.origin?.split(separator: "@"), parts.count == 2, let checkpoint = UInt64(parts[1]) else { continue }
            if forks[String(parts[0])]?.contains(where: { $0.checkpoint == checkpoint }) == true { continue }
            forks[String(parts[0]), default: []].append((checkpoint, entry.path))
        }
        for entry in entries.sorted(by: { $0.path < $1.path }) {
            let parts = FilePath.name(entry.path).split(separator: "-")
            guard parts.count >= 6, let fork = forks[String(parts[1])]?.first(where: { $0.checkpoint < entry.checkpoint }) else { continue }
            doubled.append(
                "\(entry.path): its \(entry.rows) rows came after checkpoint \(fork.checkpoint), from which the job of \(fork.by) began")
        }
    }

    /// Rows that were committed, and committed again after a restore, lie in files with the same bytes of two attempts. (Files of one attempt
    /// may well be alike.)
    private mutating func findDoubled(_ entries: [CommitList.Entry]) {
        struct Content: Hashable {
            var writer: String
            var folder: String
            var bytes: Int64
            var crc32c: String
        }
        var seen: [Content: CommitList.Entry] = [:]
        for entry in entries.sorted(by: { $0.path < $1.path }) {
            let parts = FilePath.name(entry.path).split(separator: "-")
            guard parts.count >= 6 else { continue }
            let content = Content(
                writer: parts[..<4].joined(separator: "-"), folder: FilePath.folder(of: entry.path), bytes: entry.bytes, crc32c: entry.crc32c)
            if let other = seen[content], FilePath.name(other.path).split(separator: "-")[4] != parts[4] {
                doubled.append("\(entry.path) has the same \(entry.rows) rows as \(other.path)")
            } else {
                seen[content] = entry
            }
        }
    }
}

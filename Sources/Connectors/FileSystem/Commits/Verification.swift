import Dataflow

/// What commits say against what lies there.
package struct Verification {
    /// Files that are listed and there as they should be, with their rows and bytes.
    package private(set) var good = (files: 0, rows: Int64(0), bytes: Int64(0))
    /// Listed, and not there.
    package private(set) var missing: [String] = []
    /// Listed, and there with other bytes; in words.
    package private(set) var changed: [String] = []
    /// There, and listed by no commit.
    package private(set) var foreign: [String] = []
    /// The same rows as another file of the same subtask that another attempt wrote; in words.
    package private(set) var doubled: [String] = []
    /// Neither visible nor lost: written and not (yet) committed.
    package let uncommitted: [String]

    package var isGood: Bool { missing.isEmpty && changed.isEmpty && foreign.isEmpty && doubled.isEmpty }

    /// `checksContents`: reads every byte, not only sizes. `progress`: files looked at, of how many.
    package init(_ table: TableFiles, checksContents: Bool = true, progress: (Int, Int) -> Void = { _, _ in }) throws(StreamError) {
        uncommitted = table.uncommitted
        var listed: [String: CommitList.Entry] = [:]
        for entry in try table.entries() {
            if let other = listed[entry.path], (other.bytes, other.crc32c) != (entry.bytes, entry.crc32c) {
                changed.append("\(entry.path): two commits list it, with \(other.bytes) and \(entry.bytes) bytes")
            }
            listed[entry.path] = entry
        }
        var there: Set<String> = []
        for (index, file) in table.files.enumerated() {
            progress(index, table.files.count)
            there.insert(file.path)
            guard let entry = listed[file.path] else {
                foreign.append(file.path)
                continue
            }
            if entry.bytes != file.bytes {
                changed.append("\(file.path): \(file.bytes) bytes are there, \(entry.bytes) were committed")
            } else if checksContents, try table.checksum(file.path) != entry.crc32c {
                changed.append("\(file.path): its \(file.bytes) bytes are not those that were committed")
            } else {
                good.files += 1
                good.rows += entry.rows
                good.bytes += entry.bytes
            }
        }
        progress(table.files.count, table.files.count)
        missing = listed.keys.filter { !there.contains($0) }.sorted()
        findDoubled(listed.values.filter { there.contains($0.path) && $0.rows > 0 })
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

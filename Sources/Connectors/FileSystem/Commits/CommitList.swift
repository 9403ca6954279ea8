import CKernels
import Dataflow
import FoundationEssentials

/// What the commits of one checkpoint made visible: one small file below `_swiftwater/commits`, shown after the files and before the commit is
/// acknowledged. What is committed and listed nowhere was not acknowledged, and is committed (and listed) again.
///
/// One JSON object a line. A commit that is repeated writes the same list under the same name.
package struct CommitList: Sendable {
    package static let folder = "_swiftwater/commits"

    package struct Entry: Hashable, Codable, Sendable {
        /// Below the table's path.
        package var path: String
        package var bytes: Int64
        package var rows: Int64
        /// Of its bytes, 8 hex digits.
        package var crc32c: String
        package var checkpoint: UInt64
        /// The files that became this one (`auto-compaction`); they were never seen.
        package var merged: [String]?
        /// Files that its writer ended right before it: lists name these too, unless one is gone.
        package var after: [String]?
        /// Where its job began, as `job@checkpoint`, when that was another job.
        package var origin: String?
        /// The multipart upload that becomes the file; in plans of merges only.
        package var upload: String?

        /// Files of writers that are in it: what is merged, or itself.
        package var parts: [String] { merged ?? [path] }
    }

    let path: String
    let bytes: [UInt8]

    static func lists(of files: [FinishedFile]) -> [CommitList] {
        lists(of: files.map { Entry($0) })
    }

    /// One for each job, sink and checkpoint among the files.
    static func lists(of entries: [Entry]) -> [CommitList] {
        let listed = entries.filter { $0.checkpoint > 0 && PartName.owner(of: FilePath.name($0.path)) != nil }
        let groups = Dictionary(grouping: listed) { "\(PartName.owner(of: FilePath.name($0.path)) ?? "")/_\(padded($0.checkpoint))" }
        return groups.sorted { $0.key < $1.key }.map { group, entries in
            let bytes = lines(of: entries.sorted { $0.path < $1.path })
            return CommitList(path: "\(folder)/\(group)-\(checksum(bytes)).jsonl", bytes: bytes)
        }
    }

    static func lines(of entries: [Entry]) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var bytes: [UInt8] = []
        for entry in entries {
            guard let line = try? encoder.encode(entry) else { preconditionFailure("strings and numbers are JSON") }
            bytes += line
            bytes.append(0x0A)
        }
        return bytes
    }

    private static func checksum(_ bytes: [UInt8]) -> String {
        PartName.hex(bytes.withUnsafeBytes { swiftwater_crc32c(0, $0.baseAddress, $0.count) })
    }

    /// Whether a list's bytes are those that its name was made for.
    static func isWhole(_ path: String, _ bytes: [UInt8]) -> Bool { path.hasSuffix("-\(checksum(bytes)).jsonl") }

    /// Whether a commit that was under way or done says that it made the file visible, as it is or longer.
    static func names(_ file: FinishedFile, in store: any PartStore) throws(StreamError) -> Bool {
        guard file.checkpoint > 0, let owner = PartName.owner(of: FilePath.name(file.path)) else { return false }
        let folder = "\(folder)/\(owner)"
        // A file that went on over checkpoints is listed with a later one.
        let least = "_\(padded(file.checkpoint))"
        for name in try store.names(in: folder) {
            let isStaged = name.hasPrefix(".")
            guard (isStaged ? String(name.dropFirst()) : name) >= least else { continue }
            let bytes = try store.read("\(folder)/\(name)")
            // One that is only staged may be half written; then nothing was made visible by it.
            guard let entries = isStaged ? try? entries(bytes) : try entries(bytes) else { continue }
            if entries.contains(where: { $0.path == file.path && $0.bytes >= file.bytes || $0.merged?.contains(file.path) == true }) { return true }
        }
        return false
    }

    /// What commits of these files' checkpoints have merged, or are about to.
    static func merges(of files: [FinishedFile], in store: any PartStore) throws(StreamError) -> [Entry] {
        var merges: [String: Entry] = [:]
        let places = Set(files.compactMap { file in PartName.owner(of: FilePath.name(file.path)).map { "\(folder)/\($0)\n_\(padded(file.checkpoint))-" } })
        for place in places.sorted() {
            let parts = place.split(separator: "\n")
            for name in try store.names(in: String(parts[0])) {
                let isStaged = name.hasPrefix(".")
                guard (isStaged ? name.dropFirst() : name[...]).hasPrefix(parts[1]) else { continue }
                let bytes = try store.read("\(parts[0])/\(name)")
                guard let entries = isStaged ? try? entries(bytes) : try entries(bytes) else { continue }
                for entry in entries where entry.merged != nil { merges[entry.path] = entry }
            }
        }
        return merges.values.sorted { $0.path < $1.path }
    }

    package static func entries(_ bytes: [UInt8]) throws(StreamError) -> [Entry] {
        let decoder = JSONDecoder()
        var entries: [Entry] = []
        for line in bytes.split(separator: 0x0A) {
            guard let entry = try? decoder.decode(Entry.self, from: Data(line)) else {
                throw StreamError(.user, retry: false, "a list of committed files is damaged: \(String(decoding: line.prefix(120), as: UTF8.self))")
            }
            entries.append(entry)
        }
        return entries
    }

    /// Names sort as checkpoints do. They begin with `_`: some readers look at a file's own name only.
    static func padded(_ checkpoint: CheckpointID) -> String {
        let digits = String(checkpoint)
        return String(repeating: "0", count: max(0, 12 - digits.count)) + digits
    }
}

extension CommitList.Entry {
    init(_ file: FinishedFile) {
        self.init(
            path: file.path, bytes: file.bytes, rows: file.rows, crc32c: PartName.hex(file.checksum), checkpoint: file.checkpoint,
            after: file.lineage.after.isEmpty ? nil : file.lineage.after, origin: file.lineage.origin)
    }
}

import Dataflow

/// Which small parts become which file: a list of entries with the uploads that become the files, one small object below `_swiftwater/merges` for each
/// commit that found parts nobody had planned.
///
/// A plan is put under a number that only one can take, and stays. So a part is in one plan, and in one file of it, whoever commits it, in
/// whatever company, however often.
struct MergePlan {
    static let folder = "_swiftwater/merges"

    /// Of a job's sink and a checkpoint: its plans, in order of their numbers.
    static func prefix(_ file: FinishedFile) -> String {
        "\(folder)/\(PartName.owner(of: FilePath.name(file.path)) ?? "others")/_\(CommitList.padded(file.checkpoint))-"
    }

    /// The checkpoint of the plan at this path, below the table's.
    static func checkpoint(ofPath path: String) -> CheckpointID? {
        guard path.hasPrefix(folder + "/") else { return nil }
        return CheckpointID(FilePath.name(path).dropFirst().prefix { $0 != "-" })
    }

    /// One above all that are there, so that no two ever have the same although one may have been removed. `names`: behind the prefix.
    static func nextNumber(after names: [Substring]) -> Int {
        (names.compactMap { $0.hasSuffix(ending) ? Int($0.dropLast(ending.count)) : nil }.max() ?? -1) + 1
    }

    private static let ending = ".jsonl"

    static func name(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits + ending
    }

    /// Files of one folder each, of at most so many bytes unless a single part has more. Without uploads.
    static func entries(of parts: [FinishedFile], bytes: Int64) -> [CommitList.Entry] {
        var chunks: [[FinishedFile]] = []
        var size: Int64 = 0
        for part in parts.sorted(by: { (FilePath.folder(of: $0.path), $0.path) < (FilePath.folder(of: $1.path), $1.path) }) {
            if let last = chunks.last?.last, size + part.bytes <= bytes, FilePath.folder(of: last.path) == FilePath.folder(of: part.path) {
                chunks[chunks.count - 1].append(part)
            } else {
                chunks.append([part])
                size = 0
            }
            size += part.bytes
        }
        return chunks.map { entry(of: $0) }
    }

    /// One part keeps its name. A file's checksum follows from those of its parts.
    private static func entry(of parts: [FinishedFile]) -> CommitList.Entry {
        guard parts.count > 1 else { return CommitList.Entry(parts[0]) }
        let paths = parts.map(\.path), after = Set(parts.flatMap(\.lineage.after)).subtracting(paths)
        let checksum = parts.reduce(UInt32(0)) { ChecksumOfBoth.crc32c($0, $1.checksum, bytes: $1.bytes) }
        return CommitList.Entry(
            path: PartName.merged(paths[0]), bytes: parts.reduce(0) { $0 + $1.bytes }, rows: parts.reduce(0) { $0 + $1.rows }, crc32c: PartName.hex(checksum),
            checkpoint: parts[0].checkpoint, merged: paths, after: after.isEmpty ? nil : after.sorted(), origin: parts.lazy.compactMap(\.lineage.origin).first)
    }
}

/// The CRC-32C of two runs of bytes behind each other, from those of each.
enum ChecksumOfBoth {
    /// `bytes`: of the second. Source: zlib, crc32_combine; the polynomial is CRC-32C's, its lowest power in the highest bit.
    static func crc32c(_ first: UInt32, _ second: UInt32, bytes: Int64) -> UInt32 { product(power(8 * bytes), first) ^ second }

    private static let polynomial: UInt32 = 0x82F6_3B78

    /// x to the power of so much, modulo the polynomial: never zero.
    private static func power(_ exponent: Int64) -> UInt32 {
        var square: UInt32 = 1 << 30, result: UInt32 = 1 << 31, left = exponent
        while left > 0 {
            if left & 1 == 1 { result = product(square, result) }
            square = product(square, square)
            left >>= 1
        }
        return result
    }

    private static func product(_ one: UInt32, _ other: UInt32) -> UInt32 {
        var bit: UInt32 = 1 << 31, product: UInt32 = 0, other = other
        while bit != 0 {
            if one & bit != 0 { product ^= other }
            other = other & 1 == 1 ? other >> 1 ^ polynomial : other >> 1
            bit >>= 1
        }
        return product
    }
}

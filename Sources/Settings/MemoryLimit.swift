extension Configuration {
    /// What a TaskManager may use: `taskmanager.memory.process.size`, else the limit of its cgroup, else 1 GiB.
    package func taskManagerMemory(root: String = "/") -> MemorySize {
        get(TaskManagerOptions.processMemory) ?? cgroupMemoryLimit(root: root).map(MemorySize.init(bytes:)) ?? .gibibytes(1)
    }
}

/// The least memory limit in bytes that this process's cgroups set, version 1, 2, or both at once; nil when there is none.
///
/// In a container the path in `/proc/self/cgroup` may be the host's, while the mounted tree begins at the container: the path, each folder above it and the
/// tree's root are looked at. `root` stands before `/proc` and `/sys` (for tests).
package func cgroupMemoryLimit(root: String = "/") -> Int? {
    let root = root.hasSuffix("/") ? String(root.dropLast()) : root
    guard let membership = try? readFile(root + "/proc/self/cgroup") else { return nil }
    var limits: [Int] = []
    for line in membership.split(separator: "\n") {
        let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard fields.count == 3 else { continue }
        let path = fields[2].split(separator: "/").map(String.init).filter { $0 != ".." }
        if fields[0] == "0" && fields[1].isEmpty {
            limits += readLimits("memory.max", below: root + "/sys/fs/cgroup", path)
            limits += readLimits("memory.max", below: root + "/sys/fs/cgroup/unified", path)
        } else if fields[1].split(separator: ",").contains("memory") {
            limits += readLimits("memory.limit_in_bytes", below: root + "/sys/fs/cgroup/memory", path)
        }
    }
    return limits.min()
}

/// Version 1 writes "no limit" as a number near 2^63, rounded down to a page.
private func readLimits(_ file: String, below tree: String, _ path: [String]) -> [Int] {
    (0...path.count).compactMap { depth in
        let folder = ([tree] + path.prefix(depth)).joined(separator: "/")
        guard let text = try? readFile(folder + "/" + file), let limit = Int(trimmed(text)), limit > 0, limit < 1 << 60 else { return nil }
        return limit
    }
}

import Settings
import Testing

@Suite struct MemoryLimitTests {
    @Test func versionTwoTakesTheLeastOnTheWayUp() throws {
        try withFolder([
            "proc/self/cgroup": "0::/kube/pod/box\n",
            "sys/fs/cgroup/kube/memory.max": "4096000\n",
            "sys/fs/cgroup/kube/pod/memory.max": "2048000\n",
            "sys/fs/cgroup/kube/pod/box/memory.max": "max\n",
        ]) { #expect(cgroupMemoryLimit(root: $0) == 2_048_000) }
    }

    @Test func versionOneInAContainerLooksAtTheTreesRoot() throws {
        try withFolder([
            "proc/self/cgroup": "5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "536870912\n",
        ]) { #expect(cgroupMemoryLimit(root: $0) == 536_870_912) }
    }

    @Test func hybridTreesAreBothRead() throws {
        try withFolder([
            "proc/self/cgroup": "4:memory:/a\n0::/a\n",
            "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "9223372036854771712\n",
            "sys/fs/cgroup/unified/a/memory.max": "1000000\n",
        ]) { #expect(cgroupMemoryLimit(root: $0) == 1_000_000) }
    }

    @Test func withoutALimitAGibibyteIsTaken() throws {
        try withFolder(["proc/self/cgroup": "0::/\n"]) { root in
            #expect(cgroupMemoryLimit(root: root) == nil)
            #expect(Configuration().taskManagerMemory(root: root) == .gibibytes(1))
            let configuration = try Configuration().setting("taskmanager.memory.process.size", to: "2048m")
            #expect(configuration.taskManagerMemory(root: root) == .mebibytes(2048))
        }
    }
}

// How much memory the process may have, read from the files of a made-up system.

import PerigeeTestKit
import Testing

@testable import Admin

@Suite("Memory limit", .bounded)
struct MemoryLimitTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func limit(_ files: [String: String]) throws -> Int {
        for (path, text) in files { try folder.write(text, to: path) }
        return MemoryLimit(root: folder.path).bytes(machine: 1 << 40)
    }

    @Test("without control groups it is the machine's memory")
    func machine() throws {
        #expect(try limit([:]) == 1 << 40)
        #expect(try limit(["proc/self/cgroup": "garbage\n::\n4:memory\n"]) == 1 << 40)
    }

    @Test("version 2: the least limit of the group and its parents; max is none")
    func version2() throws {
        let files = [
            "proc/self/cgroup": "0::/a.slice/b.service\n", "sys/fs/cgroup/a.slice/b.service/memory.max": "max\n",
            "sys/fs/cgroup/a.slice/memory.max": "4096000\n",
        ]
        #expect(try limit(files) == 4_096_000)
        #expect(try limit(["sys/fs/cgroup/a.slice/b.service/memory.max": "1000\n"]) == 1_000)
    }

    /// Also when it is listed with others.
    @Test("version 1: the memory controller's group and not another's")
    func version1() throws {
        let files = [
            "proc/self/cgroup": "9:cpu,cpuacct:/x\n4:hugetlb,memory:/docker/123\n",
            "sys/fs/cgroup/memory/docker/123/memory.limit_in_bytes": "536870912\n",
            "sys/fs/cgroup/memory/x/memory.limit_in_bytes": "1\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        ]
        #expect(try limit(files) == 512 << 20)
    }

    @Test("a container that sees its own group as the root uses the root's file")
    func container() throws {
        #expect(
            try limit(["proc/self/cgroup": "0::/host/path\n", "sys/fs/cgroup/memory.max": "123456\n"]) == 123_456)
    }

    @Test("the gauge reads the memory of this process")
    func gauge() {
        let gauge = MemoryGauge()
        let before = gauge.residentBytes
        #expect(before > 1 << 20)
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 20, alignment: 4096)
        for offset in stride(from: 0, to: block.count, by: 4096) { block[offset] = 1 }
        #expect(gauge.residentBytes > before + 32 << 20)
        block.deallocate()
    }
}

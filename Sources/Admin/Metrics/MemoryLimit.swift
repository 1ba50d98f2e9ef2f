// The memory that the process may have: the machine's, or less where a control group says so. Containers show the
// machine's memory and enforce the group's.

import Glibc

/// Reads the limit that is in force for this process.
struct MemoryLimit {
    /// Where the system's files are; a test has its own.
    var root = ""

    /// Bytes of memory that this process may take before the kernel stops it: the least of the machine's memory and of the
    /// limits of its control groups, version 1 and 2, up to the root.
    /// - Parameter machine: the machine's memory, in bytes.
    func bytes(machine: Int = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))) -> Int {
        var least = machine
        for line in (text("/proc/self/cgroup") ?? "").split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            if fields[0] == "0" {
                least = min(least, tightest(under: "/sys/fs/cgroup", group: fields[2], file: "memory.max"))
            } else if fields[1].split(separator: ",").contains("memory") {
                let folder = "/sys/fs/cgroup/memory"
                least = min(least, tightest(under: folder, group: fields[2], file: "memory.limit_in_bytes"))
            }
        }
        return least
    }

    /// The least limit of the group and of those above it. A container may see its own group as the root, whatever its path.
    private func tightest(under folder: String, group: Substring, file: String) -> Int {
        var least = Int.max
        var steps = group.split(separator: "/")
        while true {
            let path = ([folder] + steps.map(String.init) + [file]).joined(separator: "/")
            if let limit = text(path).flatMap({ Int($0.prefix { $0 != "\n" }) }), limit > 0 {
                least = min(least, limit)
            }
            if steps.popLast() == nil { return least }
        }
    }

    private func text(_ path: String) -> String? {
        let descriptor = open(root + path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 16 << 10)
        let count = read(descriptor, &bytes, bytes.count)
        return count < 0 ? nil : String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}

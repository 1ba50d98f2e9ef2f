// How much memory the process takes, read from one file that stays open.

import Glibc

/// The process's resident memory.
final class MemoryGauge {
    private let descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    private let pageSize = sysconf(Int32(_SC_PAGESIZE))

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Bytes of the process that are in memory; 0 where the system does not say.
    var residentBytes: Int {
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return 0 }
        let fields = bytes.prefix(count).split(separator: UInt8(ascii: " "))
        guard fields.count > 1, let pages = Int(String(decoding: fields[1], as: UTF8.self)) else { return 0 }
        return pages * pageSize
    }
}

// The watch over the process's memory, once a second: on the admin thread, which no script can hold up. While memory is tight, new
// connections are refused.
//
// Runs on: the admin thread.

import CLinux
import EventLoop
import Gateway
import Glibc
import Logging
import Settings

/// Compares the process's memory with `limits.memory`.
final class MemoryWatch {
    /// Milliseconds between two looks, and looks between two attempts to give memory back while it is tight.
    private static let period: UInt64 = 1_000
    private static let looksPerAttempt: UInt64 = 10

    private let node: Node
    private let loop: EventLoop
    private let gauge = MemoryGauge()

    init(node: Node, loop: EventLoop) {
        self.node = node
        self.loop = loop
    }

    /// Bytes of the process that are in memory.
    var residentBytes: Int { gauge.residentBytes }

    /// Begins to watch, when the configuration has a limit.
    func begin() {
        let share = node.configuration.limits.memory
        guard share > 0 else { return }
        look(limit: MemoryLimit().bytes() / 100 * share, number: 0)
    }

    private func look(limit: Int, number: UInt64) {
        let resident = gauge.residentBytes
        let isTight = resident > limit
        if isTight != node.limits.memoryIsTight {
            node.limits.memoryIsTight = isTight
            node.log.log(
                level: isTight ? .warning : .notice,
                isTight ? "memory is tight: new connections are refused" : "memory is no longer tight",
                metadata: ["bytes": "\(resident)", "limit": "\(limit)"])
        }
        // The memory of clients that are gone may be free and yet not given back.
        if isTight, number.isMultiple(of: Self.looksPerAttempt) { clinux_give_memory_back() }
        let next = isTight ? number + 1 : 0
        loop.schedule(after: Self.period) { [unowned self] in look(limit: limit, number: next) }
    }
}

// How much memory the process takes, read from one file that stays open.

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

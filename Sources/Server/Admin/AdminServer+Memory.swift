// The watch over the process's memory, once a second: on the admin thread, which no script can hold up.

import CLinux
import EventLoop
import Logging
import Settings

extension AdminServer {
    /// Milliseconds between two looks, and looks between two attempts to give memory back while it is tight.
    private static let period: UInt64 = 1_000
    private static let looksPerAttempt: UInt64 = 10

    /// Begins to watch, when the configuration has a limit.
    func watchMemory() {
        let share = node.configuration.limits.memory
        guard share > 0 else { return }
        let limit = MemoryLimit().bytes() / 100 * share
        lookAtMemory(limit: limit, look: 0)
    }

    private func lookAtMemory(limit: Int, look: UInt64) {
        let resident = memory.residentBytes
        let isTight = resident > limit
        if isTight != node.limits.memoryIsTight {
            node.limits.memoryIsTight = isTight
            log.log(
                level: isTight ? .warning : .notice,
                isTight ? "memory is tight: new connections are refused" : "memory is no longer tight",
                metadata: ["bytes": "\(resident)", "limit": "\(limit)"])
        }
        // What clients have left behind may be free and yet not given back.
        if isTight, look.isMultiple(of: Self.looksPerAttempt) { clinux_give_memory_back() }
        let next = isTight ? look + 1 : 0
        loop.schedule(after: Self.period) { [unowned self] in lookAtMemory(limit: limit, look: next) }
    }
}

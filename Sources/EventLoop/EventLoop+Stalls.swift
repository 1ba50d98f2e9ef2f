// The loop's watch over sockets whose peer does not read: one timer for all of them, and only while there are any.
//
// Read next: WriteStalls.swift.

import CLinux

extension EventLoop {
    /// Notes that a blocked socket got rid of something, or has just become blocked.
    func noteProgress(_ socket: Socket) {
        guard let limit = writeTimeout else { return }
        stalls.progressed(socket.token, at: now)
        scheduleLook(limit)
    }

    private func scheduleLook(_ limit: UInt64) {
        guard !stalls.isWatched else { return }
        stalls.isWatched = true
        schedule(after: min(1_000, max(10, limit / 4))) { [unowned self] in lookForStalls(limit) }
    }

    private func lookForStalls(_ limit: UInt64) {
        stalls.isWatched = false
        let stalled = stalls.stalled(at: now, for: limit) { token in
            source(token).map { max(0, clinux_unacknowledged($0.descriptor)) }
        }
        if !stalls.isEmpty { scheduleLook(limit) }
        for token in stalled { (source(token) as? Socket)?.stallExpired() }
    }
}

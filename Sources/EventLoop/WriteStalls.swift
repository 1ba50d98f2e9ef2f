// The sockets that wait for their peer to read, and the time since their peers last took something. There are two signs
// of progress: the kernel takes bytes from us, and the peer acknowledges bytes. The second one matters because a kernel
// with a large buffer asks for more only long after a slow peer has begun to read again.
//
// One timer of the loop watches all of them, and only while there are any.
//
// Runs on: its loop's thread.
// Allocates: for blocked sockets only, so that idle sockets and those that keep up cost nothing.

import CLinux

/// The blocked sockets of one loop, with the time of their last progress.
struct WriteStalls {
    private struct Wait {
        /// The time in milliseconds at which the peer was last known to have taken something.
        var since: UInt64
        /// The bytes that the peer had not acknowledged at the last check; nil before the first check.
        var unacknowledged: Int32?
    }

    private var waits: [Token: Wait] = [:]

    /// Whether a check is scheduled already.
    var isWatched = false
    var isEmpty: Bool { waits.isEmpty }

    /// Notes that a blocked socket has sent something, or has just become blocked.
    mutating func progressed(_ socket: Token, at now: UInt64) {
        waits[socket] = Wait(since: now, unacknowledged: nil)
    }

    /// Notes that a socket is no longer blocked, or is gone.
    mutating func end(_ socket: Token) { waits[socket] = nil }

    /// Checks every blocked socket. Forgets and returns those without progress for `limit` milliseconds.
    /// - Parameter unacknowledged: the number of bytes that the peer has not acknowledged; nil for a socket that is
    ///   gone.
    mutating func stalled(at now: UInt64, for limit: UInt64, unacknowledged: (Token) -> Int32?) -> [Token] {
        var stalled: [Token] = []
        for (token, wait) in waits {
            guard let count = unacknowledged(token) else {
                waits[token] = nil
                continue
            }
            let hasProgressed = wait.unacknowledged.map { count < $0 } ?? false
            let since = hasProgressed ? now : wait.since
            waits[token] = Wait(since: since, unacknowledged: count)
            if now - since >= limit {
                stalled.append(token)
                waits[token] = nil
            }
        }
        return stalled
    }
}

extension EventLoop {
    /// Notes that a blocked socket has sent something, or has just become blocked.
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

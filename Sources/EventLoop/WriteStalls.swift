// Which sockets wait for their peer to read, and since when the peer has taken nothing. Progress is what the kernel takes from
// us, and what the peer acknowledges of that: a kernel with a large buffer asks for more long after a slow peer has begun to
// read again.
//
// Runs on: its loop's thread.
// Allocates: for blocked sockets only, so that those that keep up, and idle ones, cost nothing.

/// The blocked sockets of one loop, with the time of their last progress.
struct WriteStalls {
    private struct Wait {
        /// When the peer was last known to have taken something, in milliseconds.
        var since: UInt64
        /// What the peer had not acknowledged at the last look; nil before the first.
        var unacknowledged: Int32?
    }

    private var waits: [Token: Wait] = [:]

    /// Whether a look is due that nobody has to ask for.
    var isWatched = false
    var isEmpty: Bool { waits.isEmpty }

    /// Notes that a blocked socket got rid of something, or has just become blocked.
    mutating func progressed(_ socket: Token, at now: UInt64) {
        waits[socket] = Wait(since: now, unacknowledged: nil)
    }

    /// Notes that a socket is blocked no more, or gone.
    mutating func end(_ socket: Token) { waits[socket] = nil }

    /// Looks at every blocked socket, and forgets and answers those without progress for `limit` milliseconds.
    /// - Parameter unacknowledged: what the peer has still to acknowledge, in bytes; nil for a socket that is gone.
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

// Deadline: the moment by which a blocking test client must have what it waits for. Every wait of the kit is a `poll`
// with the time that is left, so a test that would hang fails instead, and no test sleeps.

import Glibc

/// A moment on the monotonic clock, carried through all the reads that serve one expectation.
struct Deadline {
    private let moment: ContinuousClock.Instant

    init(after timeout: Duration) {
        moment = ContinuousClock.now + timeout
    }

    var isOver: Bool { ContinuousClock.now >= moment }

    /// What is left, as `poll` wants it: whole milliseconds, rounded up, 0 once the moment has passed.
    private var milliseconds: Int32 {
        let left = ContinuousClock.now.duration(to: moment).components
        guard left.seconds >= 0, left.attoseconds >= 0 else { return 0 }
        let seconds = min(left.seconds, 1_000_000)
        return Int32(seconds * 1000 + (left.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }

    /// Waits until `descriptor` shows one of `events` (or an error, which the next call on it reports); false when the
    /// deadline came first.
    func wait(for events: Int32, on descriptor: Int32) throws(ClientError) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        while true {
            let ready = poll(&entry, 1, milliseconds)
            if ready > 0 { return true }
            if ready == 0 { return false }
            if errno != EINTR { throw .system(call: "poll", code: errno) }
        }
    }
}

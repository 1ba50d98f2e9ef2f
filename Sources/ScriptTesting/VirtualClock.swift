// The time of scripts under test, which passes when the test says so.

import Synchronization

final class VirtualClock: Sendable {
    /// When scripts under test are loaded, for `server.cron`: midnight, UTC, of the first of January 2026, a Thursday.
    static let start = 1_767_225_600.0

    private let seconds = Mutex(0.0)

    /// Seconds since the scripts were loaded.
    var now: Double {
        get { seconds.withLock { $0 } }
        set { seconds.withLock { $0 = newValue } }
    }

    /// Seconds since 1970.
    var date: Double { Self.start + now }
}

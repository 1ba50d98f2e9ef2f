// The time of scripts under test, which passes when the test says so.

import Synchronization

final class VirtualClock: Sendable {
    private let seconds = Mutex(0.0)

    /// Seconds since the scripts were loaded.
    var now: Double {
        get { seconds.withLock { $0 } }
        set { seconds.withLock { $0 = newValue } }
    }
}

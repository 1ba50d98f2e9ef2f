// How much every client may send, as the configuration says it; converted once for each worker.

import Settings

/// The rates of a connection, and what happens beyond them.
struct RateLimit {
    /// What is received at once where clients are held back, and so the most that is kept of one of them: 16 KiB.
    static let receiveLimit = 16 << 10

    let messagesPerSecond: Int
    let bytesPerSecond: Int
    /// Milliseconds.
    let burst: Int
    let policy: Configuration.Limits.RatePolicy

    init(_ limits: Configuration.Limits) {
        messagesPerSecond = limits.messagesPerSecond
        bytesPerSecond = limits.bytesPerSecond
        burst = Int(limits.burst.milliseconds)
        policy = limits.ratePolicy
    }

    var isOn: Bool { messagesPerSecond > 0 || bytesPerSecond > 0 }
    /// Whether clients are read more slowly.
    var holdsBack: Bool { isOn && policy == .delay }
}

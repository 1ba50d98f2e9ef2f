// An order to drain: its spread over time, and the texts for clients. It is a value without a clock, so that the arithmetic can be
// tested.
//
// Read next: Shutdown.swift.

/// An order to end the connections of a server.
package struct Drain: Sendable, Equatable {
    /// Milliseconds between two batches of close frames.
    static let tick: UInt64 = 100
    /// The least that one worker closes at a time.
    static let leastBatch = 10

    /// Milliseconds over which the close frames are spread.
    package let window: UInt64
    /// Milliseconds, of which each client is told a random part.
    let retry: UInt64
    /// Whether another process serves from here on. Clients that have connected here already are still served then.
    let isHandover: Bool

    package init(window: UInt64, retry: UInt64, isHandover: Bool) {
        self.window = window
        self.retry = retry
        self.isHandover = isHandover
    }

    /// The number of connections, of `count`, to close in each tick so that the last is closed within the window.
    func batch(of count: Int) -> Int {
        let ticks = Int(window / Self.tick)
        guard ticks > 1 else { return max(count, Self.leastBatch) }
        return max((count + ticks - 1) / ticks, Self.leastBatch)
    }

    /// The reason in the Close frame, as `restarting, retry in 2.4 s`: always seconds with one decimal.
    func reason(random: UInt64) -> String {
        let tenths = random % (retry / 100 + 1)
        return "restarting, retry in \(tenths / 10).\(tenths % 10) s"
    }

    /// The same for HTTP's `Retry-After`: whole seconds, at least one.
    func retryAfter(random: UInt64) -> String { "\(random % (retry / 1000 + 1) + 1)" }
}

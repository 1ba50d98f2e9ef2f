// What a connection remembers of its pings, in twelve bytes: each of them counts where a hundred thousand wait.

/// The last ping of a connection, and how long the last answer took.
struct Keepalive {
    /// The payload of the ping that has had no pong, which is the time it was sent; 0 for none.
    private var stamp: UInt32 = 0
    /// Microseconds; 0 for none.
    private var roundTrip: UInt32 = 0
    /// The tick of the last ping, or of the beginning; it wraps after 109 minutes, longer than any interval and its half.
    private var tick: UInt16 = 0
    /// Whether nothing at all has come since the last ping.
    var awaitsAnswer = false

    /// The round-trip time of the last ping that was answered, in microseconds.
    var lastRoundTrip: UInt32? { roundTrip == 0 ? nil : roundTrip }

    mutating func begin(at tick: Int) { self.tick = UInt16(truncatingIfNeeded: tick) }

    /// Ticks since the last ping, or since the beginning.
    func age(at now: Int) -> Int { Int(UInt16(truncatingIfNeeded: now) &- tick) }

    /// Notes a new ping, and answers its payload.
    /// - Parameter clock: microseconds of a clock that wraps.
    mutating func ping(at now: Int, clock: UInt32) -> UInt32 {
        tick = UInt16(truncatingIfNeeded: now)
        stamp = clock | 1
        awaitsAnswer = true
        return stamp
    }

    /// Takes the time if this is the pong to the last ping; any other means nothing (RFC 6455, 5.5.3).
    mutating func pong(_ payload: UnsafeRawBufferPointer, clock: @autoclosure () -> UInt32) {
        guard stamp != 0, payload.count == 4, payload.loadUnaligned(as: UInt32.self) == stamp else { return }
        // Within the stamp's own microsecond, its lowest bit may lie ahead of the clock.
        let elapsed = clock() &- stamp
        roundTrip = elapsed == .max ? 1 : max(1, elapsed)
        stamp = 0
    }
}

// The schedule of pings, and of the looks whether a connection has sent something since. No connection has a timer: time goes in
// ticks, and a slot's number says in which tick of each period its connection is due. So the work is spread evenly whenever clients
// come, and a connection pays nothing for the wait.
//
// The clock counts the ticks that ran, not those that passed: a worker that was held up asks later, and gives its clients the
// whole time to answer.
//
// Read next: ../Worker/Connections/KeepaliveWatch.swift.

import Settings

/// Ticks, periods and which slots are due.
struct KeepaliveSchedule {
    /// Milliseconds of a tick.
    static let tick: UInt64 = 100

    /// Ticks from ping to ping; 0 for no pings.
    let interval: Int
    /// Ticks from a ping until something must have come.
    let patience: Int
    /// Ticks from one look for idle connections to the next; 0 for none.
    let idleStep: Int
    /// Ticks so far.
    private(set) var now = 0

    /// Looks that find no message until a connection is idle.
    static let idleLooks: UInt8 = 4

    init(_ keepalive: Configuration.Keepalive) {
        interval = Self.ticks(keepalive.pingInterval)
        patience = Self.ticks(keepalive.pongTimeout)
        idleStep = Self.ticks(keepalive.idleTimeout / Int(Self.idleLooks))
    }

    var isOn: Bool { interval > 0 || idleStep > 0 }

    mutating func advance() { now += 1 }

    /// The slots below `count` that are due in the present tick. Each slot is due once in `period` ticks, `delay` ticks after its
    /// turn.
    func slots(period: Int, delay: Int = 0, below count: Int) -> StrideTo<Int> {
        let first = (now - delay) % period
        return stride(from: first < 0 ? first + period : first, to: count, by: period)
    }

    private static func ticks(_ time: Duration) -> Int {
        time <= .zero ? 0 : max(1, Int((time.milliseconds + tick - 1) / tick))
    }
}

// The pings of a connection, in twelve bytes: each byte counts where a hundred thousand connections wait.

/// The last ping of a connection, and the time of the last answer.
struct Keepalive {
    /// The payload of the ping that has had no pong, which is the time it was sent; 0 for none.
    private var stamp: UInt32 = 0
    /// Microseconds; 0 for none.
    private var roundTrip: UInt32 = 0
    /// The tick of the last ping, or of the beginning; it wraps after 109 minutes, longer than any interval and its half.
    private var tick: UInt16 = 0
    /// Whether no byte has come since the last ping.
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

    /// Takes the time if this is the pong to the last ping; any other pong is ignored (RFC 6455, 5.5.3).
    mutating func pong(_ payload: UnsafeRawBufferPointer, clock: @autoclosure () -> UInt32) {
        guard stamp != 0, payload.count == 4, payload.loadUnaligned(as: UInt32.self) == stamp else { return }
        // Within the stamp's own microsecond, its lowest bit may lie ahead of the clock.
        let elapsed = clock() &- stamp
        roundTrip = elapsed == .max ? 1 : max(1, elapsed)
        stamp = 0
    }
}

// Connections without a new message, with the number of looks since: two flat lists by slot, which exist only where
// `keepalive.idleTimeout` is set.

/// The messages of each slot's connection at the last look, and the looks since they were fewer.
struct IdleTable {
    private var messages: [UInt32] = []
    private var looks: [UInt8] = []

    /// A new connection is in the slot.
    mutating func begin(_ slot: Int) {
        while messages.count <= slot {
            messages.append(0)
            looks.append(0)
        }
        (messages[slot], looks[slot]) = (0, 0)
    }

    /// Looks at a connection that has had so many messages; answers the number of looks in a row, with this one, that found no
    /// new message.
    mutating func look(_ slot: Int, messages count: UInt32) -> UInt8 {
        guard slot < messages.count else { return 0 }
        looks[slot] = messages[slot] == count ? min(looks[slot], UInt8.max - 1) + 1 : 0
        messages[slot] = count
        return looks[slot]
    }
}

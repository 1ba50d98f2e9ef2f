// When each connection is pinged, and when it is looked at whether something has come since. No connection has a timer: time goes
// in ticks, and a slot's number says in which tick of each period its connection is due. So the work is spread evenly whenever
// clients come, and it costs a connection nothing to wait.
//
// The clock counts the ticks that were worked off and not those that passed: a worker that was held up asks later, and gives its
// clients the whole time to answer.

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
    /// Whether a tick is scheduled.
    var isTicking = false

    /// Looks that find no message until a connection is idle.
    static let idleLooks: UInt8 = 4

    init(_ keepalive: Configuration.Keepalive) {
        interval = Self.ticks(keepalive.pingInterval)
        patience = Self.ticks(keepalive.pongTimeout)
        idleStep = Self.ticks(keepalive.idleTimeout / Int(Self.idleLooks))
    }

    var isOn: Bool { interval > 0 || idleStep > 0 }

    mutating func advance() { now += 1 }

    /// The slots below `count` that are due in the present tick for what happens once in `period` ticks, `delay` ticks after
    /// their turn.
    func slots(period: Int, delay: Int = 0, below count: Int) -> StrideTo<Int> {
        let first = (now - delay) % period
        return stride(from: first < 0 ? first + period : first, to: count, by: period)
    }

    private static func ticks(_ time: Duration) -> Int {
        time <= .zero ? 0 : max(1, Int((time.milliseconds + tick - 1) / tick))
    }
}

// Pings, and what becomes of those who do not answer. Every connection is pinged, busy or not, so that its round-trip time is
// known; anything that arrives is an answer, because a pong may wait behind a long message.
//
// Read next: KeepaliveSchedule.swift.

import CLinux
import EventLoop
import WebSocket

extension Worker {
    /// Notes when the connection began, and that there is somebody to ask.
    func beginKeepalive(of connection: ClientConnection) {
        guard keepalive.isOn else { return }
        connection.keepalive.begin(at: keepalive.now)
        if keepalive.idleStep > 0 { idleTable.begin(Int(connection.token.slot)) }
        scheduleTick()
    }

    private func scheduleTick() {
        guard !keepalive.isTicking else { return }
        keepalive.isTicking = true
        loop.schedule(after: KeepaliveSchedule.tick) { [unowned self] in tick() }
    }

    private func tick() {
        keepalive.isTicking = false
        guard openCount > 0 else { return }
        keepalive.advance()
        if keepalive.interval > 0 {
            // Looking first, or a time to answer as long as the interval would begin anew.
            forEachDue(keepalive.interval, delay: keepalive.patience, dropSilent)
            forEachDue(keepalive.interval, delay: 0, ping)
        }
        if keepalive.idleStep > 0 { forEachDue(keepalive.idleStep, delay: 0, closeIdle) }
        scheduleTick()
    }

    private func forEachDue(_ period: Int, delay: Int, _ body: (ClientConnection) -> Void) {
        for slot in keepalive.slots(period: period, delay: delay, below: loop.slotCount) {
            guard let connection = loop.source(at: slot) as? ClientConnection, connection.phase == .open else {
                continue
            }
            body(connection)
        }
    }

    /// Who does not read gets no ping to its queue, and who is not read cannot answer one.
    private func ping(_ connection: ClientConnection) {
        let isYoung = connection.keepalive.age(at: keepalive.now) < keepalive.interval / 2
        guard !isYoung, !connection.keepalive.awaitsAnswer, !connection.isBlocked, !connection.isHeldBack else {
            return
        }
        statistics.pingsSent += 1
        withUnsafeBytes(of: connection.keepalive.ping(at: keepalive.now, clock: Self.microseconds)) {
            connection.sendControl(.ping, $0)
        }
    }

    private func dropSilent(_ connection: ClientConnection) {
        guard connection.keepalive.awaitsAnswer, connection.keepalive.age(at: keepalive.now) >= keepalive.patience,
            !connection.isBlocked, !connection.isHeldBack
        else { return }
        connection.fail(.pongTimeout)
    }

    private func closeIdle(_ connection: ClientConnection) {
        let messages = connection.messagesIn &+ connection.messagesOut
        guard idleTable.look(Int(connection.token.slot), messages: messages) >= KeepaliveSchedule.idleLooks else {
            return
        }
        connection.close(.idleTimeout)
    }

    /// The clock of round-trip times. It wraps after 71 minutes.
    static var microseconds: UInt32 { UInt32(truncatingIfNeeded: clinux_monotonic_nanoseconds() / 1_000) }
}

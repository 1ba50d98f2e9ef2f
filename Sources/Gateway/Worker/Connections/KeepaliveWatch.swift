// The watch over connections: it pings them, cuts those that do not answer, and closes those that are idle. It pings every
// connection, busy or not, so that its round-trip time is known. Any bytes are an answer, because a pong may wait behind a long
// message.
//
// Runs on: the worker's thread.
// Read next: ../../Clients/KeepaliveSchedule.swift.

import CLinux
import EventLoop
import Settings
import WebSocket

/// Asks a worker's connections whether they are still there.
final class KeepaliveWatch {
    private unowned(unsafe) let loop: EventLoop
    private let connections: LocalConnections
    private var schedule: KeepaliveSchedule
    private var idleTable = IdleTable()
    /// Whether a tick is scheduled.
    private var isTicking = false
    private(set) var pingsSent: UInt64 = 0

    init(_ keepalive: Configuration.Keepalive, over connections: LocalConnections, on loop: EventLoop) {
        schedule = KeepaliveSchedule(keepalive)
        self.connections = connections
        self.loop = loop
    }

    /// Begins to watch a connection, which has just opened.
    func begin(_ connection: ClientConnection) {
        guard schedule.isOn else { return }
        connection.keepalive.begin(at: schedule.now)
        if schedule.idleStep > 0 { idleTable.begin(Int(connection.token.slot)) }
        scheduleTick()
    }

    private func scheduleTick() {
        guard !isTicking else { return }
        isTicking = true
        loop.schedule(after: KeepaliveSchedule.tick) { [unowned self] in tick() }
    }

    private func tick() {
        isTicking = false
        guard connections.openCount > 0 else { return }
        schedule.advance()
        if schedule.interval > 0 {
            // Looking first, or a time to answer as long as the interval would begin anew.
            forEachDue(schedule.interval, delay: schedule.patience, dropSilent)
            forEachDue(schedule.interval, delay: 0, ping)
        }
        if schedule.idleStep > 0 { forEachDue(schedule.idleStep, delay: 0, closeIdle) }
        scheduleTick()
    }

    private func forEachDue(_ period: Int, delay: Int, _ body: (ClientConnection) -> Void) {
        for slot in schedule.slots(period: period, delay: delay, below: connections.slotCount) {
            guard let connection = connections[slot: slot], connection.phase == .open else { continue }
            body(connection)
        }
    }

    /// A connection that does not read gets no ping: the ping would wait in its queue. A connection that we do not read is exempt:
    /// its pong would wait in ours.
    private func ping(_ connection: ClientConnection) {
        let isYoung = connection.keepalive.age(at: schedule.now) < schedule.interval / 2
        guard !isYoung, !connection.keepalive.awaitsAnswer, !connection.isBlocked, !connection.isHeldBack else {
            return
        }
        pingsSent += 1
        withUnsafeBytes(of: connection.keepalive.ping(at: schedule.now, clock: Self.microseconds)) {
            connection.sendControl(.ping, $0)
        }
    }

    private func dropSilent(_ connection: ClientConnection) {
        guard connection.keepalive.awaitsAnswer, connection.keepalive.age(at: schedule.now) >= schedule.patience,
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

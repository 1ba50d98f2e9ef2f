// The events of connections, as the scripts see them: opened, message, ended. Exactly one onClose follows each onOpen.
//
// Read next: Connections/ClientConnection.swift, Connections/LocalConnections.swift, Scripting/Engine/ScriptEngine+Events.swift.

import EventLoop
import Glibc
import Logging
import PubSub
import Scripting
import Settings
import WebSocket

extension Worker {
    /// The handshake is answered; the script may talk.
    func opened(_ connection: ClientConnection) {
        connection.openedAt = UInt32(truncatingIfNeeded: time(nil))
        connections.opened()
        statistics.opened += 1
        keepalive.begin(connection)
        if rules.rates.isOn { connection.limitRate(rules.rates) }
        perform(engine.onOpen(connection.script, connection.handle), on: connection)
    }

    func message(_ connection: ClientConnection, _ payload: UnsafeRawBufferPointer, binary: Bool) {
        guard !connection.isBusy else { return connection.queue(.message(Array(payload), binary: binary)) }
        guard connection.wireForm == .raw else { return connection.converse(payload, binary: binary) }
        perform(engine.onMessage(connection.script, connection.handle, payload, binary: binary), on: connection)
    }

    /// A slow client has read all messages that waited for it.
    func drained(_ connection: ClientConnection) {
        guard !connection.isBusy, !connection.isDeferred, !turns.slice.isOver else { return connection.putOffDrain() }
        drain(connection)
    }

    /// The script hears that the client has read all.
    func drain(_ connection: ClientConnection) {
        perform(engine.onDrain(connection.script, connection.handle), on: connection)
        turns.note(.handler(.drain, connection.script))
    }

    /// The connection is over for scripts and channels, and none of its events is left; its socket may still have work. The
    /// script's onClose may still look at the connection and its channels, and publish.
    func ended(_ connection: ClientConnection, code: CloseCode, reason: String) {
        connections.ended()
        var reason = reason
        let outcome = reason.withUTF8 { bytes in
            engine.onClose(
                connection.script, connection.handle, code: code.rawValue, reason: UnsafeRawBufferPointer(bytes))
        }
        turns.note(.handler(.close, connection.script))
        if case .failed(let error) = outcome { reports.note(error, on: connection) }
        let remains = outcome.waits ? ClientConnection.Remains(of: connection) : nil
        hub.unsubscribeFromAll(connection)
        users.identify(connection, as: nil)
        if case .waiting(let task) = outcome, let remains {
            linger(connection, task, remains)
        } else {
            engine.forget(connection.handle)
        }
    }

    /// Performs the outcome of an event of a connection.
    func perform(_ outcome: EventOutcome, on connection: ClientConnection) {
        switch outcome {
        case .done:
            break
        case .closeRequested(let code, let reason):
            connection.close(CloseCode(rawValue: code), reason: reason)
        case .waiting(let task):
            connection.isBusy = true
            connection.makePending().task = task
            waiting.add(task, on: connection, isLimited: true)
        case .failed(let error):
            reports.note(error, on: connection)
            if node.configuration.scripts.onError == .close { connection.close(.scriptError) }
        }
    }

    /// Counts a connection that the server has ended.
    func count(_ reason: CloseReason) { statistics.closes[Int(reason.rawValue)] += 1 }

    func logClose(_ connection: ClientConnection, _ reason: CloseReason) {
        log.log(
            level: Logger.Level(reason.level), "connection closed",
            metadata: [
                "connection": "\(connection.id.text)", "remote": "\(connection.remote)",
                "code": "\(reason.code.rawValue)",
                "reason": "\(reason.text)",
            ])
    }

    // MARK: Connections that are gone

    /// The connection's onClose waits: scripts can still ask for its last state.
    /// - Parameter remains: that state, which hub and socket forget.
    private func linger(_ connection: ClientConnection, _ task: ScriptTask, _ remains: ClientConnection.Remains) {
        connection.makeExtras().value.remains = remains
        connections.beginLingering(connection)
        waiting.add(task, on: connection, isLimited: true)
    }

    /// The connection's onClose, which waited, has ended.
    func endLingering(_ connection: ClientConnection) {
        connections.endLingering(connection)
        engine.forget(connection.handle)
        if connections.isEmpty { shutdown.lastIsGone() }
    }

    /// The connection's socket is gone. The scripts forget what a refused handshake may have left behind.
    func forget(_ connection: ClientConnection) {
        if !connections.isLingering(connection) { engine.forget(connection.handle) }
        admission.release(connection)
        connections.removed()
        if connections.socketCount == 0 { shutdown.lastIsGone() }
    }

    // MARK: Reports

    /// The text of a place in a script, for reports.
    func text(of place: ScriptPlace) -> String {
        switch place {
        case .handler(let handler, let script): "\(engine.name(of: script)).lua:\(handler.name)"
        case .function: engine.lastFunctionPlace
        case .resumed(let event):
            if case .handler(let handler, let script) = event.work {
                text(of: .handler(handler, script))
            } else {
                event.functionPlace ?? event.work.name
            }
        }
    }
}

extension EventOutcome {
    fileprivate var waits: Bool { if case .waiting = self { true } else { false } }
}

extension Logger.Level {
    /// The log level of a close.
    init(_ level: CloseReason.Level) {
        self =
            switch level {
            case .debug: .debug
            case .info: .info
            case .notice: .notice
            case .warning: .warning
            case .error: .error
            }
    }
}

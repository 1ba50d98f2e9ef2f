// What happens to connections, as the scripts see it: opened, message, ended. Exactly one onClose follows each onOpen.

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
        openCount += 1
        statistics.opened += 1
        beginKeepalive(of: connection)
        if rates.isOn { connection.limitRate(rates) }
        perform(engine.onOpen(connection.script, connection.handle), on: connection)
    }

    func message(_ connection: ClientConnection, _ payload: UnsafeRawBufferPointer, binary: Bool) {
        guard !connection.isBusy else { return connection.queue(.message(Array(payload), binary: binary)) }
        guard connection.wireForm == .raw else { return connection.converse(payload, binary: binary) }
        perform(engine.onMessage(connection.script, connection.handle, payload, binary: binary), on: connection)
    }

    /// A slow client has read all that waited for it.
    func drained(_ connection: ClientConnection) {
        guard !connection.isBusy, !connection.isDeferred, !turns.slice.isOver else { return connection.putOffDrain() }
        drain(connection)
    }

    /// The script hears that the client has read all.
    func drain(_ connection: ClientConnection) {
        perform(engine.onDrain(connection.script, connection.handle), on: connection)
        noteEvent(.handler(.drain, connection.script))
    }

    /// The connection is over for scripts and channels, whatever its socket still has to do, and none of its events is left. The
    /// script's onClose may still look at the connection and its channels, and publish.
    func ended(_ connection: ClientConnection, code: CloseCode, reason: String) {
        openCount -= 1
        var reason = reason
        let outcome = reason.withUTF8 { bytes in
            engine.onClose(
                connection.script, connection.handle, code: code.rawValue, reason: UnsafeRawBufferPointer(bytes))
        }
        noteEvent(.handler(.close, connection.script))
        if case .failed(let error) = outcome { note(error, on: connection) }
        let remains = outcome.waits ? ClientConnection.Remains(of: connection) : nil
        hub.unsubscribeFromAll(connection)
        identify(connection, as: nil)
        if case .waiting(let task) = outcome, let remains {
            linger(connection, task, remains)
        } else {
            engine.forget(connection.handle)
        }
    }

    /// Does what an event of a connection has asked for.
    func perform(_ outcome: EventOutcome, on connection: ClientConnection) {
        switch outcome {
        case .done:
            break
        case .closeRequested(let code, let reason):
            connection.close(CloseCode(rawValue: code), reason: reason)
        case .waiting(let task):
            connection.isBusy = true
            connection.makePending().task = task
            beganToWait(task, on: connection)
        case .failed(let error):
            note(error, on: connection)
            if node.configuration.scripts.onError == .close { connection.close(.scriptError) }
        }
    }

    /// A mistake of the script: counted, and told to the log with all that helps to find it.
    func note(_ error: ScriptError, on connection: ClientConnection?) {
        guard error.kill != .closed else { return log.debug("\(error.summary)", metadata: error.metadata) }
        statistics.scriptErrors += 1
        if error.kill == .budget { recentKills.note(at: loop.now) }
        node.scriptErrors.note(error, connection: connection?.id.text, now: time(nil))
        var metadata = error.metadata
        if let connection {
            metadata["connection"] = "\(connection.id.text)"
            metadata["path"] = "\(connection.path)"
        }
        log.error("\(error.summary)", metadata: metadata)
    }

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

    /// Keeps the index of users; nil takes the connection out of it. False when the user has as many connections as it may.
    @discardableResult
    func identify(_ connection: ClientConnection, as user: String?) -> Bool {
        guard admitUser(user, of: connection) else { return false }
        if let old = connection.user { users.remove(connection, of: old) }
        if let user { users.insert(connection, of: user) }
        guard user != nil || connection.extras != nil else { return true }
        connection.makeExtras().value.user = user
        return true
    }
}

extension EventOutcome {
    fileprivate var waits: Bool { if case .waiting = self { true } else { false } }
}

extension Logger.Level {
    /// The log's word for how loudly a close is told.
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

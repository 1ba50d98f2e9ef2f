// The requests of scripts to the server. They come while a handler runs, so nothing here runs another one: closing is finished at
// the end of the turn.
//
// Read next: Scripting/Host/ScriptHost.swift.

import EventLoop
import HTTPClient
import Logging
import PubSub
package import Scripting
import Settings
import WebSocket

extension Worker: ScriptHost {
    // MARK: One connection

    package func send(_ handle: ConnectionHandle, _ payload: UnsafeRawBufferPointer, binary: Bool) -> SendResult {
        connections[handle]?.send(payload, binary: binary) ?? .closed
    }

    package func close(_ handle: ConnectionHandle, code: UInt16, reason: UnsafeRawBufferPointer) -> Bool {
        connections[handle]?.close(CloseCode(rawValue: code), reason: String(decoding: reason, as: UTF8.self)) ?? false
    }

    package func subscribe(_ handle: ConnectionHandle, channel name: UnsafeRawBufferPointer) -> SubscribeResult {
        guard let connection = connections[handle], connection.phase == .open else { return .closed }
        guard let channel = Channel(name) else { return .invalidName }
        if hub.isSubscribed(connection, to: channel) { return .alreadySubscribed }
        guard connection.memberships.count < rules.maxChannels else { return .tooMany }
        hub.subscribe(connection, to: channel)
        return .subscribed
    }

    package func unsubscribe(_ handle: ConnectionHandle, channel name: UnsafeRawBufferPointer) -> Bool {
        guard let connection = connections[handle], let channel = Channel(name) else { return false }
        return hub.unsubscribe(connection, from: channel)
    }

    package func identify(_ handle: ConnectionHandle, user: UnsafeRawBufferPointer?) -> Bool {
        guard let connection = connections[handle], connection.phase == .open else { return false }
        if users.identify(connection, as: user.map { String(decoding: $0, as: UTF8.self) }) { return true }
        connection.close(.tooManyOfUser)
        return false
    }

    package func isOpen(_ handle: ConnectionHandle) -> Bool { connections[handle]?.phase == .open }

    package func queued(_ handle: ConnectionHandle) -> Int { connections[handle]?.waitingBytes ?? 0 }

    package func text(_ property: ConnectionText, of handle: ConnectionHandle, into answer: inout ScriptStrings) -> Bool
    {
        guard let connection = connections[handle] else { return false }
        let text: String? =
            switch property {
            case .id: connection.id.text
            case .user: connection.remains?.user ?? connection.user
            case .ip: connection.remote.host
            case .path: connection.request.path
            case .subprotocol: connection.subprotocol
            case .certificate: connection.remains?.certificate ?? connection.certificateSubject
            }
        guard let text else { return false }
        answer.append(text)
        return true
    }

    package func pairs(_ pairs: ConnectionPairs, of handle: ConnectionHandle, into answer: inout ScriptStrings) {
        guard let connection = connections[handle] else { return }
        switch pairs {
        case .query: for pair in connection.request.query { answer.append(name: pair.name, value: pair.value) }
        case .headers: for field in connection.request.headers { answer.append(name: field.name, value: field.value) }
        }
    }

    package func channels(of handle: ConnectionHandle, into answer: inout ScriptStrings) {
        guard let connection = connections[handle] else { return }
        if let remains = connection.remains { return remains.channels.forEach { answer.append($0) } }
        for membership in connection.memberships { answer.append(membership.channel.name) }
    }

    // MARK: The server

    package func publish(
        channel name: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, binary: Bool,
        except: ConnectionHandle?,
        key: String?
    ) -> PublishResult {
        guard let channel = Channel(name) else { return .invalidName }
        let exclude = except.flatMap { connections[$0]?.subscriberID }
        let frame = binary ? Frame.binary(payload) : Frame.text(payload)
        // While messages of an earlier order are still being handled, this one has to queue behind them.
        let origin = loop.isHandlingInbox ? PublishingThread.other : .worker(index)
        let draft = Draft(channel: channel, frame: frame, key: key, exclude: exclude, origin: origin)
        switch node.broker.publish(draft, from: .nobody) {
        case .ordered(let position, _, let publication):
            if let publication { deliver(publication) }
            return .published(offset: position?.offset)
        case .accepted: return .published(offset: nil)
        case .refused(.overloaded): return .refused("overloaded")
        case .refused(.tooLarge): return .refused("too large")
        case .refused(.unavailable): return .refused("unavailable")
        }
    }

    package func send(toID text: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, binary: Bool) -> Bool {
        guard let id = routable(text) else { return false }
        if id.worker == index { return connections[id]?.send(payload, binary: binary) == .sent }
        let frame = binary ? Frame.binary(payload) : Frame.text(payload)
        return node.workers.send(frame, to: .connection(id), on: Int(id.worker), receipt: nil)
    }

    package func send(toUser user: String, _ payload: UnsafeRawBufferPointer, binary: Bool) {
        let frame = binary ? Frame.binary(payload) : Frame.text(payload)
        sendElsewhere(frame, to: .user(user))
        for connection in users[user] { _ = connection.send(frame, whenFull: rules.onFullQueue) }
    }

    /// Hands a frame to all other workers.
    private func sendElsewhere(_ frame: Frame, to audience: Audience) {
        for worker in 0..<node.workers.count where worker != Int(index) {
            guard !node.workers.send(frame, to: audience, on: worker, receipt: nil) else { continue }
            log.warning("message not taken by a worker that does not keep up", metadata: ["other": "\(worker)"])
        }
    }

    package func broadcast(_ payload: UnsafeRawBufferPointer, binary: Bool) {
        let frame = binary ? Frame.binary(payload) : Frame.text(payload)
        sendElsewhere(frame, to: .everyone)
        connections.forEachOpen { _ = $0.send(frame, whenFull: rules.onFullQueue) }
    }

    package func disconnect(id text: UnsafeRawBufferPointer, code: UInt16, reason: UnsafeRawBufferPointer) -> Bool {
        let code = CloseCode(rawValue: code)
        let reason = String(decoding: reason, as: UTF8.self)
        guard let id = routable(text) else {
            return disconnect(user: String(decoding: text, as: UTF8.self), code: code, reason: reason)
        }
        if id.worker == index { return connections[id]?.close(code, reason: reason) ?? false }
        node.workers.tell(Int(id.worker)) { $0.close(id, code: code, reason: reason) }
        return true
    }

    private func disconnect(user: String, code: CloseCode, reason: String) -> Bool {
        for worker in 0..<node.workers.count where worker != Int(index) {
            node.workers.tell(worker) { $0.close(user: user, code: code, reason: reason) }
        }
        return close(user: user, code: code, reason: reason) || node.workers.count > 1
    }

    /// The id if it can be one of this node's connections.
    private func routable(_ text: UnsafeRawBufferPointer) -> ConnectionID? {
        guard let text = String(validating: text, as: UTF8.self), let id = ConnectionID(text), id.node == node.number,
            Int(id.worker) < node.workers.count
        else { return nil }
        return id
    }

    // MARK: Timers and waits

    package func setTimer(id: Int32, after seconds: Double, every period: Double?, name: String?) {
        functions.setTimer(id, after: Self.milliseconds(seconds), every: period.map(Self.milliseconds))
    }

    package func cancelTimer(id: Int32) { functions.cancelTimer(id) }

    package func spawned() { functions.spawned() }

    package func sleep(_ ticket: WaitTicket, seconds: Double) {
        let timer = loop.schedule(after: Self.milliseconds(seconds)) { [unowned self] in
            resumptions.finish(ticket, with: .done)
        }
        waiting.begin(.sleep(timer), of: ticket)
    }

    /// Sends a request to another server; answers the mistake in it, if it cannot be sent.
    package func request(_ ticket: WaitTicket, _ wanted: ScriptRequest) -> String? {
        do throws(HTTPRequestMistake) {
            let id = try requests.send(wanted) { [unowned self] answer in resumptions.finish(ticket, with: answer) }
            waiting.begin(.request(id), of: ticket)
            return nil
        } catch {
            return error.description
        }
    }

    /// At least a millisecond, at most some thirty years, so that the clock can add any time that a script asks for.
    private static func milliseconds(_ seconds: Double) -> UInt64 {
        UInt64(min(max(1, (seconds * 1000).rounded(.up)), 1e12))
    }

    // MARK: Log

    package func slow(traceback: String) { reports.noteSlow(traceback: traceback, version: engine.version) }

    package func log(
        level: ScriptLogLevel, message: UnsafeRawBufferPointer, fields: [(name: String, value: String)], script: String,
        line: Int
    ) {
        let severity: Logger.Level =
            switch level {
            case .debug: .debug
            case .info: .info
            case .warning: .warning
            case .error: .error
            }
        var metadata: Logger.Metadata = [:]
        if !script.isEmpty { metadata["script"] = "\(script):\(line)" }
        for field in fields { metadata[field.name] = "\(field.value)" }
        log.log(level: severity, "\(String(decoding: message, as: UTF8.self))", metadata: metadata)
    }
}

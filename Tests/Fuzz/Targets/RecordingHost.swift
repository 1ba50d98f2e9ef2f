// A host that writes down what scripts ask for, and answers as it is told.

import Scripting

final class RecordingHost: SilentHost {
    enum Call: Equatable {
        case send(UInt32, String, binary: Bool)
        case close(UInt32, UInt16, String)
        case subscribe(UInt32, String)
        case unsubscribe(UInt32, String)
        case identify(UInt32, String?)
        case publish(String, String, binary: Bool, except: UInt32?, key: String? = nil)
        case sendTo(String, String, binary: Bool)
        case broadcast(String, binary: Bool)
        case sendToUser(String, String, binary: Bool)
        case disconnect(String, UInt16, String)
        case setTimer(Int32, Double, every: Double?, name: String?)
        case cancelTimer(Int32)
        case sleep(WaitTicket, Double)
        case spawned
        case slow(String)
        case log(ScriptLogLevel, String, [String], String, Int)
    }

    var calls: [Call] = []
    /// The requests to other servers, in order.
    var requests: [(ticket: WaitTicket, request: ScriptRequest)] = []
    /// The mistake in the next requests, and the number of those.
    var requestMistake: String?
    var mistakes = 0
    var isGone: Set<ConnectionHandle> = []
    var sendResult = SendResult.sent
    var subscribeResult = SubscribeResult.subscribed
    var publishResult = PublishResult.published(offset: 7)
    var found = true
    var texts: [ConnectionText: String] = [.id: "c1", .ip: "10.0.0.9", .path: "/chat"]
    var query: [(name: String, value: String)] = []
    var headers: [(name: String, value: [UInt8])] = []
    var channelNames: [String] = []

    /// The texts that were sent to connections, in order.
    var sent: [String] {
        calls.compactMap { if case .send(_, let text, _) = $0 { text } else { nil } }
    }

    private func text(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes, as: UTF8.self)
    }

    func send(_ connection: ConnectionHandle, _ payload: UnsafeRawBufferPointer, binary: Bool) -> SendResult {
        if isGone.contains(connection) { return .closed }
        calls.append(.send(connection.slot, text(payload), binary: binary))
        return sendResult
    }

    func close(_ connection: ConnectionHandle, code: UInt16, reason: UnsafeRawBufferPointer) -> Bool {
        if isGone.contains(connection) { return false }
        calls.append(.close(connection.slot, code, text(reason)))
        return true
    }

    func subscribe(_ connection: ConnectionHandle, channel: UnsafeRawBufferPointer) -> SubscribeResult {
        calls.append(.subscribe(connection.slot, text(channel)))
        return subscribeResult
    }

    func unsubscribe(_ connection: ConnectionHandle, channel: UnsafeRawBufferPointer) -> Bool {
        calls.append(.unsubscribe(connection.slot, text(channel)))
        return found
    }

    func identify(_ connection: ConnectionHandle, user: UnsafeRawBufferPointer?) -> Bool {
        calls.append(.identify(connection.slot, user.map(text)))
        return !isGone.contains(connection)
    }

    func isOpen(_ connection: ConnectionHandle) -> Bool { !isGone.contains(connection) }

    func queued(_ connection: ConnectionHandle) -> Int { 42 }

    func text(_ property: ConnectionText, of connection: ConnectionHandle, into answer: inout ScriptStrings) -> Bool {
        guard !isGone.contains(connection), let text = texts[property] else { return false }
        answer.append(text)
        return true
    }

    func pairs(_ pairs: ConnectionPairs, of connection: ConnectionHandle, into answer: inout ScriptStrings) {
        switch pairs {
        case .query: for pair in query { answer.append(name: pair.name, value: pair.value) }
        case .headers: for field in headers { answer.append(name: field.name, value: field.value) }
        }
    }

    func channels(of connection: ConnectionHandle, into answer: inout ScriptStrings) {
        channelNames.forEach { answer.append($0) }
    }

    func publish(
        channel: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, binary: Bool, except: ConnectionHandle?,
        key: String?
    ) -> PublishResult {
        calls.append(.publish(text(channel), text(payload), binary: binary, except: except?.slot, key: key))
        return publishResult
    }

    func send(toID identifier: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, binary: Bool) -> Bool {
        calls.append(.sendTo(text(identifier), text(payload), binary: binary))
        return found
    }

    func send(toUser user: String, _ payload: UnsafeRawBufferPointer, binary: Bool) {
        calls.append(.sendToUser(user, text(payload), binary: binary))
    }

    func broadcast(_ payload: UnsafeRawBufferPointer, binary: Bool) {
        calls.append(.broadcast(text(payload), binary: binary))
    }

    func disconnect(id identifier: UnsafeRawBufferPointer, code: UInt16, reason: UnsafeRawBufferPointer) -> Bool {
        calls.append(.disconnect(text(identifier), code, text(reason)))
        return found
    }

    func sleep(_ ticket: WaitTicket, seconds: Double) {
        calls.append(.sleep(ticket, seconds))
    }

    func request(_ ticket: WaitTicket, _ request: ScriptRequest) -> String? {
        guard mistakes == 0 else {
            mistakes -= 1
            return requestMistake
        }
        requests.append((ticket, request))
        return nil
    }

    func spawned() {
        calls.append(.spawned)
    }

    func slow(traceback: String) {
        calls.append(.slow(traceback))
    }

    func setTimer(id: Int32, after seconds: Double, every period: Double?, name: String?) {
        calls.append(.setTimer(id, seconds, every: period, name: name))
    }

    func cancelTimer(id: Int32) {
        calls.append(.cancelTimer(id))
    }

    func log(
        level: ScriptLogLevel, message: UnsafeRawBufferPointer, fields: [(name: String, value: String)], script: String,
        line: Int
    ) {
        let shown = fields.map { "\($0.name)=\($0.value)" }.sorted()
        calls.append(.log(level, text(message), shown, script, line))
    }
}

// Scripts under test: a real engine, and a server around it that consists of arrays. Nothing happens by itself: the test
// file sends, and time passes when it says so. A request of a running script that would run another handler is only
// noted; `settle` runs those handlers when the first has returned.
//
// Runs on: the thread that runs the tests. Read next: TestApp+Events.swift.

import PubSub
import Scripting

final class TestApp: SilentHost {
    /// Something that happens at its time.
    struct Alarm {
        enum Purpose: Equatable {
            case timer(Int32)
            case wake(WaitTicket)
            case timeOut(ScriptTask)
            case answer(WaitTicket)
        }

        let purpose: Purpose
        var due: Double
        var period: Double?

        var isAnswer: Bool { if case .answer = purpose { true } else { false } }
    }

    /// An entry that a script wrote to the log.
    struct LogLine {
        let level: ScriptLogLevel
        let message: String
        let fields: [(name: String, value: String)]
    }

    let clock = VirtualClock()
    let store: KeyValueStore
    private(set) var engine: ScriptEngine!
    var sources: [String: String]
    var modules: [String: String]
    /// The path of clients that name none.
    let path: String
    var clients: [TestClient] = []
    var alarms: [Alarm] = []
    var logs: [LogLine] = []
    /// Whether functions of server.spawn are to be called.
    var hasSpawned = false
    /// The clients of events that wait; nil for an event of no client.
    var waiting: [ScriptTask: TestClient?] = [:]
    /// The receivers of the answers of handlers that wait.
    var questions: [ScriptTask: (ScriptReply) -> Void] = [:]
    /// The answer to the last question, until the test takes it.
    var reply: ScriptReply?
    /// Requests of scripts and the answers that the test has for them.
    var exchange = TestExchange()
    /// Seconds that an event may take, waits included.
    let eventTimeout: Double
    /// Seconds for a request that names no timeout.
    let requestTimeout: Double
    /// Errors that handlers raised, and the test has not taken.
    var errors: [ScriptError] = []
    private var offsets: [Channel: UInt64] = [:]

    /// Loads the scripts with these names, and all modules.
    init(
        names: [String], from bundle: ScriptBundle, options: ScriptOptions, eventTimeout: Double, requestTimeout: Double
    ) throws(ScriptErrors) {
        self.eventTimeout = eventTimeout
        self.requestTimeout = requestTimeout
        let files = bundle.scripts.filter { names.contains($0.name) }
        sources = Dictionary(uniqueKeysWithValues: files.map { ($0.name, $0.source) })
        modules = Dictionary(uniqueKeysWithValues: bundle.modules.map { ($0.name, $0.source) })
        path = names.first == "main" ? "/" : "/" + (names.first ?? "")
        store = KeyValueStore(limit: options.store.limit, now: { [clock] in clock.now })
        var options = options
        options.store = store
        options.wallClock = { [clock] in VirtualClock.start + clock.now }
        do throws(ScriptError) {
            engine = try ScriptEngine(host: self, options: options)
            engine.setTime(clock.date)
        } catch {
            throw ScriptErrors([error])
        }
        try load()
    }

    /// Makes the sources live as the next version.
    func load() throws(ScriptErrors) {
        let bundle = try ScriptBundle(version: engine.version + 1, scripts: sources, modules: modules)
        try engine.prepare(bundle).get()
        if engine.needsMigration { try engine.migrate().get() }
        errors += engine.commit().errors
        settle()
    }

    func client(_ handle: ConnectionHandle) -> TestClient? {
        let index = Int(handle.slot) - 1
        return clients.indices.contains(index) ? clients[index] : nil
    }

    /// Delivers to all subscribers but one. Answers with the offset.
    func publish(
        _ payload: UnsafeRawBufferPointer, binary: Bool, to channel: Channel, except: ConnectionHandle?
    ) -> UInt64 {
        for client in clients where client.handle != except && client.channels.contains(channel) {
            _ = client.receive(payload, binary: binary)
        }
        offsets[channel, default: 0] += 1
        return offsets[channel, default: 0]
    }

    // MARK: Requests of scripts

    func send(_ connection: ConnectionHandle, _ payload: UnsafeRawBufferPointer, binary: Bool) -> SendResult {
        client(connection)?.receive(payload, binary: binary) ?? .closed
    }

    func close(_ connection: ConnectionHandle, code: UInt16, reason: UnsafeRawBufferPointer) -> Bool {
        client(connection)?.end(code: code, reason: String(decoding: reason, as: UTF8.self)) ?? false
    }

    func subscribe(_ connection: ConnectionHandle, channel name: UnsafeRawBufferPointer) -> SubscribeResult {
        guard let client = client(connection), client.isOpen else { return .closed }
        guard let channel = Channel(name) else { return .invalidName }
        if client.channels.contains(channel) { return .alreadySubscribed }
        client.channels.append(channel)
        return .subscribed
    }

    func unsubscribe(_ connection: ConnectionHandle, channel name: UnsafeRawBufferPointer) -> Bool {
        guard let client = client(connection), let channel = Channel(name),
            let index = client.channels.firstIndex(of: channel)
        else { return false }
        client.channels.remove(at: index)
        return true
    }

    func identify(_ connection: ConnectionHandle, user: UnsafeRawBufferPointer?) -> Bool {
        guard let client = client(connection), client.isOpen else { return false }
        client.user = user.map { String(decoding: $0, as: UTF8.self) }
        return true
    }

    func isOpen(_ connection: ConnectionHandle) -> Bool { client(connection)?.isOpen ?? false }

    func text(
        _ property: ConnectionText, of connection: ConnectionHandle, into answer: inout ScriptStrings
    ) -> Bool {
        guard let client = client(connection) else { return false }
        let text: String? =
            switch property {
            case .id: client.id
            case .user: client.user
            case .ip: client.request.ip
            case .path: client.request.path
            case .subprotocol: client.subprotocol
            case .certificate: client.request.certificate
            }
        guard let text else { return false }
        answer.append(text)
        return true
    }

    func pairs(
        _ pairs: ConnectionPairs, of connection: ConnectionHandle, into answer: inout ScriptStrings
    ) {
        guard let request = client(connection)?.request else { return }
        switch pairs {
        case .query: for pair in request.query { answer.append(name: pair.name, value: pair.value) }
        case .headers: for field in request.headers { answer.append(name: field.name, value: field.value) }
        }
    }

    func channels(of connection: ConnectionHandle, into answer: inout ScriptStrings) {
        for channel in client(connection)?.channels ?? [] { answer.append(channel.name) }
    }

    func publish(
        channel name: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, binary: Bool,
        except: ConnectionHandle?, key: String?
    ) -> PublishResult {
        guard let channel = Channel(name) else { return .invalidName }
        return .published(offset: publish(payload, binary: binary, to: channel, except: except))
    }

    func send(toID identifier: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, binary: Bool) -> Bool {
        let id = String(decoding: identifier, as: UTF8.self)
        guard let client = clients.first(where: { $0.id == id }) else { return false }
        return client.receive(payload, binary: binary) == .sent
    }

    func send(toUser user: String, _ payload: UnsafeRawBufferPointer, binary: Bool) {
        for client in clients where client.user == user { _ = client.receive(payload, binary: binary) }
    }

    func broadcast(_ payload: UnsafeRawBufferPointer, binary: Bool) {
        for client in clients { _ = client.receive(payload, binary: binary) }
    }

    func disconnect(
        id identifier: UnsafeRawBufferPointer, code: UInt16, reason: UnsafeRawBufferPointer
    ) -> Bool {
        let id = String(decoding: identifier, as: UTF8.self)
        let text = String(decoding: reason, as: UTF8.self)
        var isKnown = false
        for client in clients where client.isOpen && (client.id == id || client.user == id) {
            isKnown = client.end(code: code, reason: text) || isKnown
        }
        return isKnown
    }

    func setTimer(id: Int32, after seconds: Double, every period: Double?, name: String?) {
        cancelTimer(id: id)
        alarms.append(Alarm(purpose: .timer(id), due: clock.now + max(0.001, seconds), period: period))
    }

    func cancelTimer(id: Int32) {
        alarms.removeAll { $0.purpose == .timer(id) }
    }

    func sleep(_ ticket: WaitTicket, seconds: Double) {
        alarms.append(Alarm(purpose: .wake(ticket), due: clock.now + max(0.001, seconds), period: nil))
    }

    func request(_ ticket: WaitTicket, _ request: ScriptRequest) -> String? {
        exchange.add(request, ticket)
        let timeout = clock.now + (request.timeout ?? requestTimeout)
        alarms.append(Alarm(purpose: .answer(ticket), due: timeout, period: nil))
        return nil
    }

    func spawned() { hasSpawned = true }

    func log(
        level: ScriptLogLevel, message: UnsafeRawBufferPointer, fields: [(name: String, value: String)],
        script: String, line: Int
    ) {
        logs.append(LogLine(level: level, message: String(decoding: message, as: UTF8.self), fields: fields))
    }
}

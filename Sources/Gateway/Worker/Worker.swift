// One worker: a thread with its event loop, its connections, its hub and its Lua state. Everything here was created on that
// thread and never leaves it; other threads reach it through its inbox.
//
// Runs on: its own thread, from `init` to the end of `run`.
// Read next: Worker+Events.swift (what happens to connections), Worker+ScriptHost.swift (what scripts ask), Worker+Inbox.swift
// (what other threads ask).

package import EventLoop
import HTTPClient
import Logging
import PubSub
package import Scripting
import Settings
import WebSocket

/// A listening socket that was passed to the process, and that a worker accepts from.
package struct PassedSocket: Sendable, Equatable {
    package let descriptor: Int32
    /// Whether other workers wait on the same socket.
    package let isContested: Bool

    package init(_ descriptor: Int32, isContested: Bool) {
        self.descriptor = descriptor
        self.isContested = isContested
    }
}

/// A worker thread's world.
package final class Worker {
    /// Timeouts in milliseconds, converted once.
    struct Timeouts {
        let handshake: UInt64
        let close: UInt64
        let stop: UInt64
        let event: UInt64
    }

    let node: Node
    let index: UInt8
    let loop: EventLoop
    let turns: FairTurns
    let page: PlainPages
    let handshakeLimits: HandshakeLimits
    let timeouts: Timeouts
    let rates: RateLimit
    let maxMessage: Int
    let maxFragments: Int
    let maxQueue: Int
    let onFullQueue: Configuration.WebSocket.FullQueuePolicy
    let maxChannels: Int
    let proxies: ProxyRules
    /// What connections compress with; nil when the configuration says that none does.
    let compression: Compression?
    let log: Logger
    /// For scripts' requests to other servers.
    let http: HTTPClient
    private(set) var hub: Hub!
    private(set) var engine: ScriptEngine!
    var listeners: [Listener] = []
    var random = SecretGenerator()
    var statistics = WorkerStatistics()
    /// Pushes that wait for the answer to an earlier one; `scripts.maxWaiting` is the limit.
    var pushQueue = PushQueue()
    /// The scripts' timers.
    private(set) var timers: ScriptTimers!
    /// The events whose handlers wait.
    private(set) var waiting: WaitingHandlers!
    /// Handlers that the watchdog killed within the last minute.
    var recentKills = RecentCount()
    var keepalive: KeepaliveSchedule
    var idleTable = IdleTable()
    /// Connections by the user that a script said is theirs.
    var users = UserIndex<ClientConnection>()
    /// Open connections: those whose script has seen onOpen and not yet onClose.
    var openCount = 0
    /// Clients' sockets, whatever their state.
    var connectionCount = 0
    /// Connections that are gone and whose onClose waits.
    var lingering: [ConnectionHandle: ClientConnection] = [:]
    /// The places where handlers took long.
    var slowPlaces = SlowPlaces()
    /// Set from the beginning of a drain on.
    var draining: DrainProgress?
    /// Whether the loop ends as soon as the last socket is gone.
    var isStopping = false
    /// Whether onStop has run.
    var hasEnded = false
    /// Scripts that an earlier version had, as the last reload reported them.
    var missingScripts: [String] = []
    /// Frames and pages that need more than a turn.
    var walks = Walks()
    /// Answers of this turn for the admin thread, which is woken once for all of them.
    var answers: [AdminMessage] = []

    /// - Parameter admin: where the admin API listens.
    package init(
        index: UInt8, node: Node, page: PlainPages, admin: [SocketAddress], loop: EventLoop = EventLoop()
    ) throws(ScriptError) {
        self.node = node
        self.loop = loop
        self.index = index
        self.page = page
        let configuration = node.configuration
        handshakeLimits = HandshakeLimits(configuration)
        timeouts = Timeouts(
            handshake: configuration.timeouts.handshake.milliseconds,
            close: configuration.timeouts.close.milliseconds,
            stop: configuration.timeouts.stop.milliseconds,
            event: configuration.scripts.eventTimeout.milliseconds)
        turns = FairTurns(slice: configuration.scripts.turnSlice)
        rates = RateLimit(configuration.limits)
        keepalive = KeepaliveSchedule(configuration.keepalive)
        loop.writeTimeout = configuration.timeouts.write.milliseconds
        if rates.holdsBack { loop.receiveLimit = RateLimit.receiveLimit }
        maxMessage = configuration.websocket.maxMessage
        maxFragments = configuration.limits.fragments
        maxQueue = configuration.websocket.maxQueue
        onFullQueue = configuration.websocket.onFullQueue
        maxChannels = configuration.websocket.maxChannels
        proxies = ProxyRules(configuration)
        compression = configuration.compression.policy.map { Compression($0) }
        http = HTTPClient(on: loop, settings: configuration.httpClient.settings(admin: admin))
        var log = node.log
        log[metadataKey: "worker"] = "\(index)"
        self.log = log
        statistics.closes = Array(repeating: 0, count: CloseReason.allCases.count)
        let slowConsumers = configuration.websocket.slowConsumers
        hub = Hub(policy: slowConsumers.policy) { [index, node] channel, isWanted in
            if isWanted {
                node.fanout.subscribe(index, to: channel, at: node.broker)
            } else {
                node.fanout.unsubscribe(index, from: channel, at: node.broker)
            }
        }
        timers = ScriptTimers(on: loop) { [unowned self] timer in timerIsDue(timer) }
        waiting = WaitingHandlers(on: loop, http, timeLimit: timeouts.event) { [unowned self] task in
            statistics.handlersTimedOut += 1
            waitHasEnded(.timedOut(task))
        }
        var options = node.scriptOptions
        options.workerIndex = Int(index)
        options.holdsNamedTimers = node.hasPredecessor
        options.timerGate = node.timerGate
        options.activity = node.activities[Int(index)]
        engine = try ScriptEngine(host: self, options: options)
        loop.attach(node.workers[Int(index)]) { [unowned self] message in handle(message) }
        loop.work = { [unowned self] in runDeferred() }
        loop.turnFinished = { [unowned self] in
            turns.slice.end()
            postAnswers()
            compression?.endTurn()
        }
    }

    /// Begins to accept clients.
    package func listen(on place: ListenPlace) throws(ListenError) {
        add(try Listener(place, on: loop) { [unowned self] descriptor, peer in accept(descriptor, peer) })
    }

    /// Begins to accept clients from sockets that were passed to the process.
    /// - Parameter file: the file of the one UNIX socket among them.
    package func listen(on sockets: [PassedSocket], file: UnixSocketFile?) {
        for socket in sockets {
            add(
                Listener(adopting: socket.descriptor, competes: socket.isContested, file: file, on: loop) {
                    [unowned self] descriptor, peer in accept(descriptor, peer)
                })
        }
    }

    /// The sockets that it accepts clients from.
    package var listeningDescriptors: [Int32] { listeners.map(\.descriptor) }

    private func add(_ listener: Listener) {
        listener.speaksTLS = node.certificates.clients != nil
        listener.failed = { [log] in log.error("\($0)") }
        listeners.append(listener)
    }

    /// Runs until the worker has been stopped and its connections are gone.
    package func run() {
        loop.run()
        engine = nil
    }

    /// The connection that a script's handle names, nil when it is gone. Scripts get handles of client connections only, and a
    /// slot's generation is never used twice, so whatever is found is one.
    func connection(_ handle: ConnectionHandle) -> ClientConnection? {
        guard let source = loop.source(Token(slot: handle.slot, generation: handle.generation)) else {
            return lingering.isEmpty ? nil : lingering[handle]
        }
        return unsafeDowncast(source, to: ClientConnection.self)
    }

    /// The connection that an id names, nil when it is not here or gone.
    func connection(_ id: ConnectionID) -> ClientConnection? {
        guard id.node == node.number, id.worker == index else { return nil }
        guard let connection = loop.source(at: Int(id.slot)) as? ClientConnection else { return nil }
        return connection.secret == id.secret ? connection : nil
    }

    /// Calls `body` with every connection that is open.
    func forEachOpenConnection(_ body: (ClientConnection) -> Void) {
        for slot in 0..<loop.slotCount {
            guard let connection = loop.source(at: slot) as? ClientConnection, connection.phase == .open else {
                continue
            }
            body(connection)
        }
    }
}

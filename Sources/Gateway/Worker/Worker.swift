// One worker: a thread with its event loop, its connections, its hub and its Lua state. Everything here was created on that
// thread and never leaves it; other threads reach it through its inbox. The worker holds its parts together: each of them is a type
// of its own, with the state of one concern.
//
// Runs on: its own thread, from `init` to the end of `run`.
// Read next: Worker+Events.swift (events of connections), Worker+ScriptHost.swift (requests of scripts), Worker+Inbox.swift
// (orders of other threads).

package import EventLoop
import Logging
import PubSub
package import Scripting
import Settings
import WebSocket

/// A worker: one thread with everything that belongs to it.
package final class Worker {
    let node: Node
    let index: UInt8
    let loop: EventLoop
    let log: Logger
    let page: PlainPages
    let rules: ClientRules
    /// The compressors of all connections; nil when the configuration turns compression off.
    let compression: Compression?
    var random = SecretGenerator()
    var statistics = WorkerStatistics()

    // MARK: Clients

    let hub: Hub
    let connections: LocalConnections
    /// Connections by the user that a script has given them.
    let users: Users
    let keepalive: KeepaliveWatch
    private(set) var admission: Admission!
    private(set) var sockets: ListeningSockets!

    // MARK: Scripts

    private(set) var engine: ScriptEngine!
    let reports: ScriptReports
    let requests: OutgoingRequests
    /// The events whose handlers wait.
    private(set) var waiting: WaitingHandlers!
    private(set) var resumptions: Resumptions!
    private(set) var functions: ScriptFunctions!
    private(set) var questions: BackendQuestions!
    package private(set) var reload: WorkerReload!

    // MARK: Turns, and the other threads

    let turns: FairTurns
    private(set) var rotation: Rotation!
    let walks: Walks
    let replies: AdminReplies
    private(set) var shutdown: Shutdown!

    /// - Parameter admin: where the admin API listens.
    package init(
        index: UInt8, node: Node, page: PlainPages, admin: [SocketAddress], loop: EventLoop = EventLoop()
    ) throws(ScriptError) {
        self.node = node
        self.loop = loop
        self.index = index
        self.page = page
        let configuration = node.configuration
        rules = ClientRules(configuration)
        loop.writeTimeout = configuration.timeouts.write.milliseconds
        if rules.rates.holdsBack { loop.receiveLimit = RateLimit.receiveLimit }
        compression = configuration.compression.policy.map { Compression($0) }
        var log = node.log
        log[metadataKey: "worker"] = "\(index)"
        self.log = log
        hub = Hub(policy: { [node] in node.fanout.options(of: $0).slow }) { [index, node] channel, isWanted in
            if isWanted {
                node.fanout.subscribe(index, to: channel, at: node.broker)
            } else {
                node.fanout.unsubscribe(index, from: channel, at: node.broker)
            }
        }
        connections = LocalConnections(on: loop, node: node.number, worker: index)
        users = Users(limit: node.limits.perUser)
        keepalive = KeepaliveWatch(configuration.keepalive, over: connections, on: loop)
        reports = ScriptReports(node, log, on: loop)
        requests = OutgoingRequests(on: loop, configuration.httpClient, admin: admin)
        turns = FairTurns(slice: configuration.scripts.turnSlice, on: loop)
        replies = AdminReplies(from: index, of: node)
        walks = Walks(over: connections, hub, on: loop, answeringTo: replies, whenFull: rules.onFullQueue)
        makeParts()
        engine = try ScriptEngine(host: self, options: scriptOptions)
        join()
    }

    /// Makes the parts that know the worker.
    private func makeParts() {
        admission = Admission(of: self)
        sockets = ListeningSockets(on: loop, node.certificates, log) { [unowned self] descriptor, peer in
            admission.accept(descriptor, peer)
        }
        waiting = WaitingHandlers(on: loop, requests, timeLimit: node.configuration.scripts.eventTimeout.milliseconds) {
            [unowned self] task in
            statistics.handlersTimedOut += 1
            rotation.take(.timedOut(task))
        }
        resumptions = Resumptions(of: self)
        functions = ScriptFunctions(of: self)
        questions = BackendQuestions(of: self)
        reload = WorkerReload(of: self)
        rotation = Rotation(of: self)
        shutdown = Shutdown(of: self)
    }

    private var scriptOptions: ScriptOptions {
        var options = node.scriptOptions
        options.workerIndex = Int(index)
        options.holdsNamedTimers = node.hasPredecessor
        options.timerGate = node.timerGate
        options.activity = node.activities[Int(index)]
        return options
    }

    /// Joins the loop: its inbox, its work that is left over, and the ends of its turns.
    private func join() {
        turns.describe = { [unowned self] place in text(of: place) }
        loop.attach(node.workers[Int(index)]) { [unowned self] message in handle(message) }
        loop.work = { [unowned self] in
            walks.advance()
            rotation.advance()
        }
        loop.turnFinished = { [unowned self] in
            turns.slice.end()
            replies.post()
            compression?.endTurn()
        }
        if index == 0, node.fanout.rules.keepHistory { tendHistory() }
    }

    /// One worker does it for the node.
    private func tendHistory() {
        loop.schedule(after: 1_000) { [unowned self] in
            node.broker.tend()
            tendHistory()
        }
    }

    /// Makes the first bundle live; answers its errors.
    package func start(_ bundle: ScriptBundle) -> [ScriptError] { reload.start(bundle) }

    /// Begins to accept clients.
    package func listen(on place: ListenPlace) throws(ListenError) { try sockets.open(place) }

    /// Begins to accept clients from sockets that were passed to the process.
    /// - Parameter file: the file of the one UNIX socket among them.
    package func listen(on passed: [PassedSocket], file: UnixSocketFile?) { sockets.adopt(passed, file: file) }

    /// The sockets that it accepts clients from.
    package var listeningDescriptors: [Int32] { sockets.descriptors }

    /// Runs until the worker has been stopped and its connections are gone.
    package func run() {
        loop.run()
        engine = nil
    }
}

// The admin thread: the same event loop with an HTTP listener and no Lua, so that a stuck script never takes the admin API with
// it. It asks the workers through their inboxes and answers when they have.
//
// Runs on: its own thread.
// Read next: AdminRoute.swift, AdminServer+Access.swift.

import EventLoop
import HTTP1
import Logging
import Settings

/// The admin API's thread.
final class AdminServer {
    /// How long the workers have for an answer, in milliseconds.
    static let patience: UInt64 = 1_000

    /// A question to the workers whose answers are coming in.
    private struct Question {
        var awaited: Int
        var answers: [(worker: UInt8, answer: WorkerAnswer)] = []
        /// When patience ends, on the loop's clock.
        let deadline: UInt64
        let finish: ([(worker: UInt8, answer: WorkerAnswer)], _ isComplete: Bool) -> Void
    }

    let node: Node
    let loop = EventLoop()
    let log: Logger
    let limits: HTTPLimits
    let requestTimeout: UInt64
    let headTimeout: UInt64
    let memory = MemoryGauge()
    /// What each worker last said of itself.
    var lastMeasurements: [Int: WorkerMeasurements] = [:]
    /// Sockets that were accepted, and those that are open.
    var accepted: UInt64 = 0
    var connections = 0
    /// Requests that were answered 408.
    var requestsTimedOut: UInt64 = 0
    var listeners: [Listener] = []
    private var questions: [UInt64: Question] = [:] {
        didSet { loop.expectsPost = !questions.isEmpty }
    }
    /// Whether workers owe an answer.
    var isAwaitingAnswers: Bool { !questions.isEmpty }
    private var isWatchingPatience = false
    /// A `Host` that was found to name this machine.
    var lastLocalHost = ""
    var reloads: [UInt64: AdminCall] = [:]
    private var lastTicket: UInt64 = 0
    private var random = SecretGenerator()
    var upgrades: [UInt64: AdminCall] = [:]
    /// Whether the server is on its way to its end: every answer is then the last one of its connection.
    var isDraining = false
    /// Whether the thread ends as soon as what was asked is answered.
    var isStopping = false
    /// The pushes that wait in onPublish.
    var pushOrders = PushOrders()

    init(node: Node) {
        self.node = node
        log = node.log
        var limits = HTTPLimits()
        limits.maxBody = node.configuration.admin.maxBody
        limits.maxHead = node.configuration.http.maxHead
        limits.maxFields = node.configuration.http.maxFields
        self.limits = limits
        requestTimeout = node.configuration.admin.requestTimeout.milliseconds
        headTimeout = min(node.configuration.admin.headTimeout.milliseconds, requestTimeout)
        loop.writeTimeout = node.configuration.timeouts.write.milliseconds
        loop.attach(node.admin) { [unowned self] message in handle(message) }
    }

    /// Begins to accept requests; answers the address in use.
    func listen(on place: ListenPlace) throws(ListenError) -> SocketAddress {
        let listener = try Listener(place, on: loop) { [unowned self] descriptor, peer in
            _ = AdminConnection(descriptor: descriptor, peer: peer, server: self)
        }
        add(listener)
        return listener.address
    }

    func add(_ listener: Listener) {
        listener.speaksTLS = node.certificates.admin != nil
        listener.failed = { [log] in log.error("\($0)") }
        listeners.append(listener)
    }

    /// The listening sockets.
    var descriptors: [Int32] { listeners.map(\.descriptor) }

    func run() {
        watchMemory()
        loop.run()
    }

    private func handle(_ message: AdminMessage) {
        switch message {
        case .answer(let ticket, let worker, let answer): take(answer, from: worker, for: ticket)
        case .reloaded(let ticket, let report): finishReload(ticket, report)
        case .upgraded(let ticket, let report): finishUpgrade(ticket, report)
        case .accept(let descriptors): listen(on: descriptors)
        case .answerAlive: node.lifecycle.post(.alive(.admin))
        case .drain(let isHandover): drain(isHandover: isHandover)
        case .stop: stop()
        }
    }

    // MARK: Asking the workers

    /// A number that names one question.
    func nextTicket() -> UInt64 {
        lastTicket += 1
        return lastTicket
    }

    /// Waits for the answers of `count` workers to the question `ticket`, for a second unless it is told otherwise, and hands over what has come.
    func gather(
        _ ticket: UInt64, from count: Int, patience: UInt64 = patience,
        then finish: @escaping ([(worker: UInt8, answer: WorkerAnswer)], _ isComplete: Bool) -> Void
    ) {
        guard count > 0 else { return finish([], true) }
        questions[ticket] = Question(awaited: count, deadline: loop.now + patience, finish: finish)
        if questions.count == 1 { watchPatience() }
    }

    /// One timer for all questions, while there are any.
    private func watchPatience() {
        guard !isWatchingPatience else { return }
        isWatchingPatience = true
        loop.schedule(after: Self.patience / 10) { [unowned self] in
            isWatchingPatience = false
            for (ticket, question) in questions where question.deadline <= loop.now {
                questions[ticket] = nil
                question.finish(question.answers, false)
            }
            if !questions.isEmpty { watchPatience() }
        }
    }

    /// Ends every question with the answers that have come, and those that are asked because of it.
    func endQuestions() {
        while let (ticket, question) = questions.first {
            questions[ticket] = nil
            question.finish(question.answers, false)
        }
    }

    private func take(_ answer: WorkerAnswer, from worker: UInt8, for ticket: UInt64) {
        guard var question = questions.removeValue(forKey: ticket) else { return }
        question.answers.append((worker, answer))
        question.awaited -= 1
        guard question.awaited == 0 else {
            questions[ticket] = question
            return
        }
        question.finish(question.answers, true)
    }

    // MARK: Reload

    /// Asks the reloader; the answer waits for its report.
    func reload(_ kind: ReloadRequest.Kind, for call: AdminCall) throws(AdminError) {
        guard !isDraining else { throw .stopping }
        let ticket = nextTicket()
        reloads[ticket] = call
        node.reloader.post(.request(ReloadRequest(kind: kind, cause: ReloadRequest.adminAPI, ticket: ticket)))
    }

    private func finishReload(_ ticket: UInt64, _ report: ReloadReport) {
        guard let call = reloads.removeValue(forKey: ticket) else { return }
        answer(call, report)
    }

    // MARK: Request ids

    /// The caller's own id when it sends one that can stand in a header and a log, else a new one.
    func requestID(for head: RequestHead?) -> String {
        if let given = head?.first("x-request-id"), (1...128).contains(given.utf8.count),
            given.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        {
            return given
        }
        return Base32.text(of: random.next())
    }
}

// The admin thread: the same event loop with an HTTP listener and no Lua, so that a stuck script never takes the admin API with
// it. It asks the workers through their inboxes and answers when they have.
//
// Runs on: its own thread.
// Read next: Requests/AdminRoute.swift, Requests/AdminConnection.swift, Questions.swift, Publishing/Publisher.swift.

package import EventLoop
package import Gateway
import HTTP1
import JSON
import Logging
import Settings

/// The admin API's thread.
package final class AdminServer: AdminRequestHandler {
    let node: Node
    let loop = EventLoop()
    let log: Logger
    let limits: HTTPLimits
    let requestTimeout: UInt64
    let headTimeout: UInt64
    let questions: Questions
    let publisher: Publisher
    let idempotency: Idempotency
    let batches: BatchPushes
    let memory: MemoryWatch
    /// Whether the server is on its way to its end: every answer is then the last one of its connection.
    private(set) var isDraining = false
    /// Whether the workers answer no more questions: a request that begins now is refused.
    private var hasLeft = false
    /// Counts the questions to `onRequest`, which the workers take in turns.
    var callTurn: UInt64 = 0
    /// Sockets that were accepted, and those that are open.
    private(set) var acceptedCount: UInt64 = 0
    private(set) var openCount = 0
    /// Requests that were answered 408.
    private(set) var requestsTimedOutCount: UInt64 = 0
    private var access: AdminAccess
    private var listeners: [Listener] = []
    /// Each worker's last answer.
    private var lastMeasurements: [UInt8: WorkerMeasurements] = [:]
    private var reloads = WaitingCalls()
    private var upgrades = WaitingCalls()
    private var random = SecretGenerator()

    package init(node: Node) {
        self.node = node
        log = node.log
        var limits = HTTPLimits()
        limits.maxBody = node.configuration.admin.maxBody
        limits.maxHead = node.configuration.http.maxHead
        limits.maxFields = node.configuration.http.maxFields
        self.limits = limits
        requestTimeout = node.configuration.admin.requestTimeout.milliseconds
        headTimeout = min(node.configuration.admin.headTimeout.milliseconds, requestTimeout)
        questions = Questions(loop: loop, workers: node.workers)
        publisher = Publisher(node: node, questions: questions)
        idempotency = Idempotency(publisher, on: loop)
        batches = BatchPushes(publisher, idempotency)
        memory = MemoryWatch(node: node, loop: loop)
        access = AdminAccess(node.configuration.admin)
        loop.writeTimeout = node.configuration.timeouts.write.milliseconds
        loop.turnFinished = { node.workers.wakeForPushes() }
        loop.attach(node.admin) { [unowned self] message in handle(message) }
    }

    package func run() {
        memory.begin()
        loop.run()
    }

    private func handle(_ message: AdminMessage) {
        switch message {
        case .delivered(let receipt, let count): questions.delivered(receipt, count)
        case .brokerAnswered(let ticket, let answer): questions.brokerAnswered(ticket, answer)
        case .answered(let ticket): questions.answered(ticket)
        case .reloaded(let ticket, let report): reloads.take(ticket)?.answer(report)
        case .upgraded(let ticket, let report): upgrades.take(ticket)?.answer(report)
        case .accept(let descriptors, let file): listen(on: descriptors, file: file)
        case .answerAlive: node.lifecycle.post(.alive(.admin))
        case .drain(let isHandover): drain(isHandover: isHandover)
        case .stop: stop()
        }
    }

    // MARK: Listening

    /// Begins to accept requests; answers the address in use.
    package func listen(on place: ListenPlace) throws(ListenError) -> SocketAddress {
        let listener = try Listener(place, on: loop) { [unowned self] descriptor, peer in accept(descriptor, peer) }
        add(listener)
        return listener.address
    }

    /// Begins to accept requests from sockets that were passed to the process.
    private func listen(on descriptors: [Int32], file: UnixSocketFile?) {
        for descriptor in descriptors {
            add(
                Listener(adopting: descriptor, competes: false, file: file, on: loop) {
                    [unowned self] descriptor, peer in accept(descriptor, peer)
                })
        }
    }

    private func add(_ listener: Listener) {
        listener.speaksTLS = node.certificates.admin != nil
        listener.failed = { [log] in log.error("\($0)") }
        listeners.append(listener)
    }

    private func accept(_ descriptor: Int32, _ peer: SocketAddress) {
        acceptedCount += 1
        openCount += 1
        let connection = AdminConnection(descriptor: descriptor, peer: peer, on: loop, handler: self)
        if let context = node.certificates.admin { connection.startTLS(context) }
    }

    /// The listening sockets.
    package var descriptors: [Int32] { listeners.map(\.descriptor) }

    // MARK: Requests

    func call(for head: RequestHead, on connection: AdminConnection) -> AdminCall {
        let requestID = Self.givenID(head) ?? newRequestID()
        return access.call(for: head, requestID: requestID, on: connection)
    }

    func perform(_ call: AdminCall) {
        if let refusal = call.refusal { return call.fail(refusal) }
        guard !hasLeft else { return call.fail(AdminError.stopping) }
        guard !call.hasQuery || call.query.isUTF8 else {
            return call.fail(AdminError.parameterInvalid.saying("the query is not percent-encoded UTF-8"))
        }
        do throws(AdminError) {
            try call.handler?(self, call)
        } catch {
            call.fail(error)
        }
    }

    func connectionClosed() { openCount -= 1 }

    func requestTimedOut() { requestsTimedOutCount += 1 }

    func newRequestID() -> String { Base32.text(of: random.next()) }

    /// The client's own id when it sends one that can stand in a header and a log.
    private static func givenID(_ head: RequestHead) -> String? {
        guard let given = head.first("x-request-id"), (1...128).contains(given.utf8.count),
            given.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        return given
    }

    // MARK: Questions to other threads

    /// Asks all workers. A worker that does not answer in time is represented by its last answer, so that no counter ever goes
    /// back; `silent` names those workers.
    func measure(then finish: @escaping ([WorkerMeasurements], _ silent: [Int]) -> Void) {
        questions.askAll {
            WorkerMeasurements(of: $0)
        } then: { [unowned self] answers in
            var silent = Set(0..<node.workers.count)
            for (worker, measurements) in answers.each {
                lastMeasurements[worker] = measurements
                silent.remove(Int(worker))
            }
            finish(Array(lastMeasurements.values), silent.sorted())
        }
    }

    /// Asks the reloader; the answer waits for its report.
    func reload(_ kind: ReloadRequest.Kind, for call: AdminCall) throws(AdminError) {
        guard !isDraining else { throw .stopping }
        let ticket = questions.nextTicket()
        reloads.add(call, ticket)
        node.reloader.post(.request(ReloadRequest(kind: kind, cause: ReloadRequest.adminAPI, ticket: ticket)))
    }

    /// `POST /v1/upgrade`: the answer waits until the new process serves.
    func upgradeServer(_ call: AdminCall) throws(AdminError) {
        guard !isDraining else { throw .stopping }
        let ticket = questions.nextTicket()
        upgrades.add(call, ticket)
        node.lifecycle.post(.upgrade(ticket: ticket))
    }

    /// `POST /v1/drain`: the answer says over which time; the process ends when all connections have.
    func drainServer(_ call: AdminCall) throws(AdminError) {
        var window = node.configuration.drain.window
        if let text = call.query.first("over") {
            guard let given = Duration(text, in: .zero ... .seconds(3600)) else {
                throw AdminError.parameterInvalid.saying("over is a time from 0ms to 1h, such as 30s")
            }
            window = given
        }
        guard !isDraining else { throw .stopping }
        node.lifecycle.post(.drain(over: window, cause: "admin API"))
        // A request behind the answer must find the server draining.
        drain(isHandover: false)
        call.answer(202, JSONOutput.object { $0.add("drainMilliseconds", window.milliseconds) })
    }

    // MARK: The end

    /// The server drains: requests that wait for a reload are refused, all others are still answered. In a handover, new
    /// connections belong to the new process.
    private func drain(isHandover: Bool) {
        isDraining = true
        reloads.failAll(.stopping)
        batches.stopAll()
        if isHandover { stopListening() }
    }

    /// Takes no more requests; those that are in are answered first, by 503 where a script does not answer in time.
    private func stop() {
        publisher.isStopping = true
        batches.isStopping = true
        drain(isHandover: true)
        leaveWhenAnswered(until: loop.now + 2 * Questions.patience)
    }

    private func leaveWhenAnswered(until deadline: UInt64) {
        guard questions.isEmpty || loop.now >= deadline else {
            loop.schedule(after: 10) { [unowned self] in leaveWhenAnswered(until: deadline) }
            return
        }
        hasLeft = true
        questions.endAll()
        upgrades.failAll(.stopping)
        node.lifecycle.post(.left(.admin))
        loop.atEndOfTurn { [loop] in loop.stop() }
    }

    private func stopListening() {
        for listener in listeners { loop.remove(listener) }
        listeners = []
    }
}

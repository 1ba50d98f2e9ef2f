// What other threads ask of this worker, and the answers. One batch is handled per turn, before sockets are written, so a
// burst of pushes costs each subscriber one write.

import EventLoop
import HTTPClient
import PubSub
import Scripting
import WebSocket

extension Worker {
    func handle(_ message: WorkerMessage) {
        guard !hasEnded else { return refuse(message) }
        switch message {
        case .deliver(let publication, let receipt):
            let count = deliver(publication)
            node.workers.handled(publication.frame, on: index)
            if let receipt { answer(receipt, .delivered(count)) }
        case .send(let frame, .path(let path), let ticket):
            sendWidely(frame, path: path, ticket: ticket)
        case .send(let frame, .everyone, let ticket):
            sendWidely(frame, path: nil, ticket: ticket)
        case .send(let frame, let audience, let ticket):
            let count = send(frame, to: audience)
            node.workers.handled(frame, on: index)
            if let ticket { answer(ticket, .delivered(count)) }
        case .close(let id, let code, let reason, let ticket):
            let isClosed = connection(id)?.close(code, reason: reason) ?? false
            if let ticket {
                if isClosed { count(.closedByOperator) }
                answer(ticket, .closed(isClosed))
            }
        case .closeUser(let user, let code, let reason):
            close(user: user, code: code, reason: reason)
        case .describe(let id, let ticket):
            answer(ticket, .connection(connection(id).flatMap(summary)))
        case .list(let query, let ticket):
            answer(ticket, list(query))
        case .channels(let query, let ticket):
            list(query, ticket: ticket)
        case .statistics(let ticket):
            answer(ticket, .statistics(currentStatistics()))
        case .scriptStatistics(let ticket):
            answer(ticket, .scripts(scriptStatistics()))
        case .measure(let ticket):
            answer(ticket, .measurements(measurements()))
        case .askPublish(let question, let order, let ticket):
            isAsked(.publish(PublishQuestion(question: question, ticket: ticket), order: order))
        case .askRequest(let question, let script, let ticket):
            isAsked(.request(question, script: script, ticket: ticket))
        case .prepare(let bundle, let round):
            prepare(bundle, round: round)
        case .migrate(let decision, let round):
            migrate(decision, round: round)
        case .commit(let round):
            commit(round: round)
        case .discard:
            discard()
        case .accept(let shares):
            listen(on: shares)
        case .handOverTimers:
            node.lifecycle.post(.timersHandedOver(ranUntil: engine.handOverNamedTimers()))
        case .takeOverTimers(let ranUntil):
            engine.takeOverNamedTimers(ranUntil: ranUntil)
        case .answerAlive:
            node.lifecycle.post(.alive(.worker(index)))
        case .drain(let plan):
            drain(plan)
        case .stop:
            stop()
        }
    }

    /// Scripts have seen onStop, which is the last that they see; whoever asks them is told so.
    private func refuse(_ message: WorkerMessage) {
        switch message {
        case .askPublish(_, _, let ticket), .askRequest(_, _, let ticket): answer(ticket, .stopping)
        default: break
        }
    }

    func answer(_ ticket: UInt64, _ answer: WorkerAnswer) {
        answers.append(.answer(ticket: ticket, worker: index, answer))
    }

    /// Sends this turn's answers, after its sockets are written.
    func postAnswers() {
        guard !answers.isEmpty else { return }
        node.admin.post(contentsOf: answers)
        answers.removeAll(keepingCapacity: true)
    }

    @discardableResult
    func deliver(_ publication: Publication) -> DeliveryCount {
        let count = hub.deliver(publication)
        statistics.deliveriesDropped += UInt64(count.dropped)
        statistics.deliveriesDisplaced += UInt64(count.displaced)
        return count
    }

    private func send(_ frame: Frame, to audience: Audience) -> DeliveryCount {
        var count = DeliveryCount()
        let sendOne = { [onFullQueue] (connection: ClientConnection) in
            guard connection.phase == .open else { return }
            count.note(connection.send(frame, whenFull: onFullQueue) == .sent ? .queued : .dropped)
        }
        switch audience {
        case .connection(let id): connection(id).map(sendOne)
        case .user(let user): users[user].forEach(sendOne)
        case .path, .everyone: preconditionFailure("a frame for many is sent widely")
        }
        statistics.deliveriesDropped += UInt64(count.dropped)
        return count
    }

    // MARK: Looking

    private func summary(_ connection: ClientConnection) -> ConnectionSummary? {
        guard connection.phase == .open || connection.phase == .closing else { return nil }
        return ConnectionSummary(
            id: connection.id, user: connection.user, path: connection.path, remoteAddress: "\(connection.remote)",
            openedAt: Int(connection.openedAt), subprotocol: connection.subprotocol,
            compression: connection.deflate == nil ? nil : DeflateAgreement.extensionName,
            certificate: connection.certificateSubject,
            script: engine.name(of: connection.script), messagesIn: UInt64(connection.messagesIn),
            messagesOut: UInt64(connection.messagesOut), bytesIn: connection.bytesIn, bytesOut: connection.bytesOut,
            queuedBytes: connection.waitingBytes, roundTrip: connection.keepalive.lastRoundTrip,
            channels: connection.memberships.map(\.channel.name),
            state: connection.phase == .open ? "open" : "closing")
    }

    private func list(_ query: ConnectionQuery) -> WorkerAnswer {
        let first = Int(query.firstSlot)
        // A user's connections are known, so that nobody else's are looked at, unless they are very many.
        if let user = query.user, users[user].count <= walks.stepsInTurn {
            let slots = users[user].map { Int($0.token.slot) }.filter { $0 >= first }.sorted()
            return list(slots, query, next: nil)
        }
        // A listing looks through so many slots and goes on in another turn.
        let end = min(first + walks.stepsInTurn, loop.slotCount)
        return list(first..<max(first, end), query, next: end < loop.slotCount ? UInt32(end) : nil)
    }

    /// - Parameter next: where the listing goes on when the page is not full by then.
    private func list(_ slots: some Sequence<Int>, _ query: ConnectionQuery, next: UInt32?) -> WorkerAnswer {
        var page: [ConnectionSummary] = []
        for slot in slots {
            walks.steps += 1
            guard let connection = loop.source(at: slot) as? ClientConnection, matches(connection, query),
                let summary = summary(connection)
            else { continue }
            if page.count == query.limit { return .connections(page, nextSlot: UInt32(slot)) }
            page.append(summary)
        }
        return .connections(page, nextSlot: next)
    }

    private func matches(_ connection: ClientConnection, _ query: ConnectionQuery) -> Bool {
        if let channel = query.channel, !hub.isSubscribed(connection, to: channel) { return false }
        if let path = query.path, connection.path != path { return false }
        if let user = query.user, connection.user?.utf8.elementsEqual(user.utf8) != true { return false }
        return true
    }

    private func scriptStatistics() -> [ScriptStatistics] {
        engine.handlerCounts.map { script in
            ScriptStatistics(
                name: script.script,
                handlers: script.handlers.map { ($0.handler.name, $0.count.calls, $0.count.errors) })
        }
    }

    private func measurements() -> WorkerMeasurements {
        WorkerMeasurements(
            statistics: currentStatistics(), scripts: scriptStatistics(), metrics: engine.metrics,
            metricsRefused: engine.metricsRefused, recentKills: recentKills.count(at: loop.now))
    }

    /// The counters, and the gauges as they are now. Whoever asks pays for no connection.
    private func currentStatistics() -> WorkerStatistics {
        var current = statistics
        current.connections = openCount
        current.subscriptions = hub.subscriptionCount
        current.refusedForDescriptors += listeners.reduce(0) { $0 + $1.refused }
        current.luaMemory = engine.memoryInUse
        current.httpRequests = http.counts.requests
        current.httpFailed = http.counts.failed
        current.httpTimedOut = http.counts.timedOut
        current.httpRefused = http.counts.refused
        current.httpRunning = http.counts.running
        current.httpWaiting = http.counts.waiting
        current.httpLookups = http.counts.lookups
        current.handlersKilled = engine.kills
        current.handlersWaiting = engine.waitingCount
        current.backlog = backlog
        current.turnSlicesUsed = turns.slicesUsed
        (current.timersRefused, current.waitsRefused, current.spawnsRefused) = engine.refusedCounts
        current.messagesDeflated = compression?.deflated ?? 0
        current.messagesInflated = compression?.inflated ?? 0
        return current
    }
}

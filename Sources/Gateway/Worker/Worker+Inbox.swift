// The worker's inbox: pushes, orders and questions of other threads. One batch is handled per turn, before sockets are written, so
// a burst of pushes costs each subscriber one write.
//
// Read next: ../Node/WorkerMessage.swift, WorkerOrders.swift, AdminReplies.swift, Scripts/BackendQuestions.swift.

import EventLoop
package import PubSub
package import Scripting
package import WebSocket

extension Worker {
    func handle(_ message: WorkerMessage) {
        // The scripts have seen onStop, which is the last that they see.
        guard !shutdown.hasEnded else {
            if case .question(let body) = message { body(self) }
            return
        }
        switch message {
        case .deliver(let publication, let receipt):
            let count = deliver(publication)
            replies.handled(publication.frame, receipt: receipt, count)
        case .send(let frame, .path(let path), let receipt):
            walks.send(frame, path: path, receipt: receipt)
        case .send(let frame, .everyone, let receipt):
            walks.send(frame, path: nil, receipt: receipt)
        case .send(let frame, let audience, let receipt):
            replies.handled(frame, receipt: receipt, send(frame, to: audience))
        case .brokerAnswered:
            break
        case .work(let body), .question(let body):
            body(self)
        }
    }

    // MARK: Frames

    @discardableResult
    func deliver(_ publication: Publication) -> DeliveryCount {
        let count = hub.deliver(publication)
        statistics.deliveriesDropped += UInt64(count.dropped)
        statistics.deliveriesDisplaced += UInt64(count.displaced)
        return count
    }

    private func send(_ frame: Frame, to audience: Audience) -> DeliveryCount {
        var count = DeliveryCount()
        let policy = rules.onFullQueue
        let sendOne = { (connection: ClientConnection) in
            guard connection.phase == .open else { return }
            count.note(connection.send(frame, whenFull: policy) == .sent ? .queued : .dropped)
        }
        switch audience {
        case .connection(let id): connections[id].map(sendOne)
        case .user(let user): users[user].forEach(sendOne)
        case .path, .everyone: preconditionFailure("a frame for many is a walk")
        }
        statistics.deliveriesDropped += UInt64(count.dropped)
        return count
    }

    // MARK: Questions of the admin thread

    /// Answers a question; the admin thread is told at the end of the turn.
    package func answer<Answer>(_ reply: Reply<Answer>, _ answer: Answer) { replies.answer(reply, answer) }

    /// The channel's subscribers here.
    package func subscriberCount(of channel: Channel) -> Int { hub.count(channel) }

    /// Begins a page of channels; it is answered when it is complete.
    package func list(_ query: ChannelQuery, _ reply: Reply<[ChannelSummary]>) { walks.list(query, reply) }

    /// A backend asks whether a push may pass. Pushes of one `order` are asked about one after the other.
    package func askPublish(_ question: ScriptQuestion, order: String, _ reply: Reply<ScriptAnswer>) {
        questions.take(.publish(PublishQuestion(question: question, reply: reply), order: order))
    }

    /// A backend calls `onRequest` of a script.
    package func askRequest(_ question: ScriptQuestion, script: String, _ reply: Reply<ScriptAnswer>) {
        questions.take(.request(question, script: script, reply: reply))
    }

    // MARK: Closing

    /// Closes one connection for a script of another worker; false when it is not here.
    @discardableResult
    package func close(_ id: ConnectionID, code: CloseCode, reason: String) -> Bool {
        connections[id]?.close(code, reason: reason) ?? false
    }

    /// Closes one connection for an operator, and counts it as such.
    package func closeForOperator(_ id: ConnectionID, code: CloseCode, reason: String) -> Bool {
        let isClosed = close(id, code: code, reason: reason)
        if isClosed { count(.closedByOperator) }
        return isClosed
    }

    /// Closes a user's connections here; false when there are none.
    @discardableResult
    func close(user: String, code: CloseCode, reason: String) -> Bool {
        let connections = users[user]
        for connection in connections { connection.close(code, reason: reason) }
        return !connections.isEmpty
    }

    // MARK: Orders of the lifecycle

    /// Begins to drain, or hastens the present drain.
    package func drain(_ drain: Drain) { shutdown.drain(drain) }

    /// Cuts the connections that are left, and ends the loop.
    package func stop() { shutdown.stop() }

    /// Tells the lifecycle that the loop goes round.
    package func answerAlive() { node.lifecycle.post(.alive(.worker(index))) }

    /// Another process runs the named timers from here on; tells the lifecycle up to when they have run here.
    package func handOverTimers() { node.lifecycle.post(.timersHandedOver(ranUntil: engine.handOverNamedTimers())) }

    /// Runs the named timers, which another process has run up to a second of the calendar; nil where that is not known.
    package func takeOverTimers(ranUntil: Int?) { engine.takeOverNamedTimers(ranUntil: ranUntil) }
}

// The worker's inbox: pushes, orders and questions of other threads, and the answers. One batch is handled per turn, before sockets
// are written, so a burst of pushes costs each subscriber one write.
//
// Read next: WorkerMessage.swift, Worker+Questions.swift.

import EventLoop
import PubSub
import Scripting
package import WebSocket

extension Worker {
    func handle(_ message: WorkerMessage) {
        // The scripts have seen onStop, which is the last that they see.
        guard !hasEnded else {
            if case .ask(let body) = message { body(self) }
            return
        }
        switch message {
        case .deliver(let publication, let receipt):
            let count = deliver(publication)
            node.workers.handled(publication.frame, on: index)
            if let receipt { answers.append(.delivered(receipt: receipt, count)) }
        case .send(let frame, .path(let path), let receipt):
            sendWidely(frame, path: path, receipt: receipt)
        case .send(let frame, .everyone, let receipt):
            sendWidely(frame, path: nil, receipt: receipt)
        case .send(let frame, let audience, let receipt):
            let count = send(frame, to: audience)
            node.workers.handled(frame, on: index)
            if let receipt { answers.append(.delivered(receipt: receipt, count)) }
        case .order(let body), .ask(let body):
            body(self)
        }
    }

    /// Answers a question; the admin thread is told at the end of the turn.
    package func answer<Answer>(_ reply: Reply<Answer>, _ answer: Answer) {
        reply.answers.add(answer, from: index)
        answers.append(.answered(ticket: reply.ticket))
    }

    /// Sends this turn's answers, after its sockets are written.
    func postAnswers() {
        guard !answers.isEmpty else { return }
        node.admin.post(contentsOf: answers)
        answers.removeAll(keepingCapacity: true)
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

    // MARK: Closing

    /// Closes one connection for a script of another worker; false when it is not here.
    @discardableResult
    package func close(_ id: ConnectionID, code: CloseCode, reason: String) -> Bool {
        connection(id)?.close(code, reason: reason) ?? false
    }

    /// Closes one connection for an operator, and counts it as such.
    package func closeForOperator(_ id: ConnectionID, code: CloseCode, reason: String) -> Bool {
        let isClosed = close(id, code: code, reason: reason)
        if isClosed { count(.closedByOperator) }
        return isClosed
    }

    // MARK: Orders of the lifecycle

    /// Tells the lifecycle that the loop goes round.
    package func answerAlive() { node.lifecycle.post(.alive(.worker(index))) }

    /// Another process runs the named timers from here on; tells the lifecycle up to when they have run here.
    package func handOverTimers() { node.lifecycle.post(.timersHandedOver(ranUntil: engine.handOverNamedTimers())) }

    /// Runs the named timers, which another process has run up to a second of the calendar; nil where that is not known.
    package func takeOverTimers(ranUntil: Int?) { engine.takeOverNamedTimers(ranUntil: ranUntil) }
}

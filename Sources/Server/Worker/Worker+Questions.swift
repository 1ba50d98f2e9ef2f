// Questions of backends for this worker's scripts. Pushes to one channel are asked about one after the other, also when
// the handler waits, so that they keep their order; all else goes on meanwhile.
//
// Read next: AdminServer+Filter.swift, Scripting/Engine/ScriptEngine+Questions.swift.

import DequeModule
import EventLoop
import Scripting

/// A push that `onPublish` is to be asked about.
struct PublishQuestion {
    let question: ScriptQuestion
    let ticket: UInt64
}

/// A question whose handler waits.
struct WaitingQuestion {
    let ticket: UInt64
    /// Of a push, what it is in order with.
    let order: String?
}

extension Worker {
    /// Asks a question whose turn it is; false when nothing waits to be asked in its order.
    func ask(_ question: DeferredQuestion) -> Bool {
        switch question {
        case .publish(let asked, let order): askPublish(asked, order: order)
        case .next(let order): return askNext(order)
        case .request(let asked, let script, let ticket): askRequest(asked, script: script, ticket: ticket)
        }
        return true
    }

    private func askPublish(_ asked: PublishQuestion, order: String) {
        guard publishQuestions[order] == nil else {
            guard waitingPushes < node.configuration.scripts.maxWaiting else {
                return answer(asked.ticket, .overloaded)
            }
            waitingPushes += 1
            publishQuestions[order]?.append(asked)
            return
        }
        publishQuestions[order] = []
        ask(asked, order)
    }

    private func askRequest(_ question: ScriptQuestion, script name: String, ticket: UInt64) {
        let script = engine.script(named: name)
        let reply = script.map { engine.onRequest($0, question) } ?? .absent
        if let script { noteEvent(.handler(.request, script)) }
        take(reply, WaitingQuestion(ticket: ticket, order: nil))
    }

    /// A question's handler has ended: its answer goes to who asked, and the next push in order is asked about.
    func settle(_ question: WaitingQuestion, _ reply: ScriptReply) {
        if case .failed(let error) = reply { note(error, on: nil) }
        answer(question.ticket, .reply(reply))
        guard let order = question.order else { return }
        guard publishQuestions[order]?.isEmpty == false else {
            publishQuestions[order] = nil
            return
        }
        // Not at once: a long queue must not become a deep stack.
        loop.schedule(after: 0) { [unowned self] in isAsked(.next(order: order)) }
    }

    /// Asks about the push that has waited for longest; none waits any more when the worker has ended meanwhile.
    private func askNext(_ order: String) -> Bool {
        guard publishQuestions[order]?.isEmpty == false, let next = publishQuestions[order]?.removeFirst() else {
            return false
        }
        waitingPushes -= 1
        ask(next, order)
        return true
    }

    /// The worker ends: whoever has asked is told so. What the handlers that wait still say is nobody's answer.
    func abandonQuestions() {
        for task in waiting.keys {
            guard let question = waiting[task]?.question else { continue }
            waiting[task]?.question = nil
            answer(question.ticket, .stopping)
        }
        for asked in publishQuestions.values.joined() { answer(asked.ticket, .stopping) }
        for asked in turns.work.questions {
            if let ticket = asked.ticket { answer(ticket, .stopping) }
        }
        publishQuestions = [:]
        waitingPushes = 0
    }

    private func ask(_ asked: PublishQuestion, _ order: String) {
        let reply = engine.onPublish(asked.question)
        if let script = engine.script(named: "main") { noteEvent(.handler(.publish, script)) }
        take(reply, WaitingQuestion(ticket: asked.ticket, order: order))
    }

    private func take(_ reply: ScriptReply, _ question: WaitingQuestion) {
        guard case .waiting(let task) = reply else { return settle(question, reply) }
        beganToWait(task, on: nil)
        waiting[task]?.question = question
    }
}

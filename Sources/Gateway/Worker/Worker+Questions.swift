// Backends' questions for this worker's scripts. Pushes to one channel are asked about one after the other, also when the handler
// waits, so that they keep their order; everything else goes on meanwhile.
//
// Runs on: the worker's thread.
// Read next: PushQueue.swift, Admin/Publishing/PublishFilter.swift, Scripting/Engine/ScriptEngine+Events.swift.

import DequeModule
import EventLoop
package import Scripting
import Settings

/// A worker's answer to a question for its scripts.
package enum ScriptAnswer: Sendable {
    /// The handler's reply; never that it waits.
    case reply(ScriptReply)
    /// Too many pushes wait already for the answer to an earlier one.
    case overloaded
    /// The worker ends, and its scripts answer nothing any more.
    case stopping
}

/// A question whose handler waits.
struct WaitingQuestion {
    let reply: Reply<ScriptAnswer>
    /// The order of a push.
    let order: String?
}

extension Worker {
    /// A backend asks whether a push may pass. Pushes of one `order` are asked about one after the other.
    package func askPublish(_ question: ScriptQuestion, order: String, _ reply: Reply<ScriptAnswer>) {
        guard !hasEnded else { return answer(reply, .stopping) }
        isAsked(.publish(PublishQuestion(question: question, reply: reply), order: order))
    }

    /// A backend calls `onRequest` of a script.
    package func askRequest(_ question: ScriptQuestion, script: String, _ reply: Reply<ScriptAnswer>) {
        guard !hasEnded else { return answer(reply, .stopping) }
        isAsked(.request(question, script: script, reply: reply))
    }

    /// Asks a question whose turn it is; false when nothing waits to be asked in its order.
    func ask(_ question: DeferredQuestion) -> Bool {
        switch question {
        case .publish(let asked, let order): beginPublish(asked, order: order)
        case .next(let order):
            guard let next = pushQueue.next(order) else { return false }
            ask(next, order)
        case .request(let asked, let script, let reply): beginRequest(asked, script: script, reply)
        }
        return true
    }

    private func beginPublish(_ asked: PublishQuestion, order: String) {
        if pushQueue.begin(order) { return ask(asked, order) }
        guard pushQueue.count < node.configuration.scripts.maxWaiting else {
            return answer(asked.reply, .overloaded)
        }
        pushQueue.append(asked, order: order)
    }

    private func beginRequest(_ question: ScriptQuestion, script name: String, _ answer: Reply<ScriptAnswer>) {
        let script = engine.script(named: name)
        let reply = script.map { engine.onRequest($0, question) } ?? .absent
        if let script { noteEvent(.handler(.request, script)) }
        take(reply, WaitingQuestion(reply: answer, order: nil))
    }

    private func ask(_ asked: PublishQuestion, _ order: String) {
        let reply = engine.onPublish(asked.question)
        if let script = engine.script(named: "main") { noteEvent(.handler(.publish, script)) }
        take(reply, WaitingQuestion(reply: asked.reply, order: order))
    }

    private func take(_ reply: ScriptReply, _ question: WaitingQuestion) {
        guard case .waiting(let task) = reply else { return settle(question, reply) }
        beganToWait(task, on: nil)
        waiting.note(question, of: task)
    }

    /// A question's handler has ended: the question is answered, and the next push in order is asked about.
    func settle(_ question: WaitingQuestion, _ reply: ScriptReply) {
        if case .failed(let error) = reply { note(error, on: nil) }
        answer(question.reply, .reply(reply))
        guard let order = question.order, pushQueue.end(order) else { return }
        // Not at once: a long queue must not become a deep stack.
        loop.schedule(after: 0) { [unowned self] in isAsked(.next(order: order)) }
    }

    /// The worker ends: every question that waits is answered so. The reply of a handler that still waits is dropped.
    func abandonQuestions() {
        for question in waiting.takeQuestions() { answer(question.reply, .stopping) }
        for asked in pushQueue.removeAll() { answer(asked.reply, .stopping) }
        for asked in turns.work.questions {
            if let reply = asked.reply { answer(reply, .stopping) }
        }
    }
}

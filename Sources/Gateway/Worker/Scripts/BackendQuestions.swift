// Backends' questions for a worker's scripts. Pushes to one channel are asked about one after the other, also when the handler
// waits, so that they keep their order; other events go on meanwhile.
//
// Runs on: the worker's thread.
// Read next: PushQueue.swift, Admin/Publishing/PublishFilter.swift, Scripting/Engine/ScriptEngine+Events.swift.

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

/// Asks a worker's scripts, and answers to the admin thread.
final class BackendQuestions {
    // The worker owns its questions.
    private unowned(unsafe) let worker: Worker
    /// Pushes that wait for the answer to an earlier one; `scripts.maxWaiting` is the limit.
    private var queue = PushQueue()

    init(of worker: Worker) { self.worker = worker }

    /// A backend asks. The question waits for its turn when the slice is used up.
    func take(_ question: DeferredQuestion) {
        guard worker.shutdown.hasEnded, let reply = question.reply else { return worker.rotation.take(question) }
        answer(reply, .stopping)
    }

    /// Asks a question whose turn it is; false when nothing waits to be asked in its order.
    func ask(_ question: DeferredQuestion) -> Bool {
        switch question {
        case .publish(let asked, let order): beginPublish(asked, order: order)
        case .next(let order):
            guard let next = queue.next(order) else { return false }
            ask(next, order)
        case .request(let asked, let script, let reply): beginRequest(asked, script: script, reply)
        }
        return true
    }

    private func beginPublish(_ asked: PublishQuestion, order: String) {
        if queue.begin(order) { return ask(asked, order) }
        guard queue.count < worker.node.configuration.scripts.maxWaiting else {
            return answer(asked.reply, .overloaded)
        }
        queue.append(asked, order: order)
    }

    private func beginRequest(_ question: ScriptQuestion, script name: String, _ answer: Reply<ScriptAnswer>) {
        let script = worker.engine.script(named: name)
        let reply = script.map { worker.engine.onRequest($0, question) } ?? .absent
        if let script { worker.turns.note(.handler(.request, script)) }
        take(reply, WaitingQuestion(reply: answer, order: nil))
    }

    private func ask(_ asked: PublishQuestion, _ order: String) {
        let reply = worker.engine.onPublish(asked.question)
        if let script = worker.engine.script(named: "main") { worker.turns.note(.handler(.publish, script)) }
        take(reply, WaitingQuestion(reply: asked.reply, order: order))
    }

    private func take(_ reply: ScriptReply, _ question: WaitingQuestion) {
        guard case .waiting(let task) = reply else { return settle(question, reply) }
        worker.waiting.add(task, on: nil, isLimited: true)
        worker.waiting.note(question, of: task)
    }

    /// A question's handler has ended: the question is answered, and the next push in order is asked about.
    func settle(_ question: WaitingQuestion, _ reply: ScriptReply) {
        if case .failed(let error) = reply { worker.reports.note(error, on: nil) }
        answer(question.reply, .reply(reply))
        guard let order = question.order, queue.end(order) else { return }
        // Not at once: a long queue must not become a deep stack.
        worker.loop.schedule(after: 0) { [unowned self] in worker.rotation.take(.next(order: order)) }
    }

    /// The worker ends: every question that waits is answered so. The reply of a handler that still waits is dropped.
    func abandon() {
        for question in worker.waiting.takeQuestions() { answer(question.reply, .stopping) }
        for asked in queue.removeAll() { answer(asked.reply, .stopping) }
        for reply in worker.rotation.openReplies { answer(reply, .stopping) }
    }

    private func answer(_ reply: Reply<ScriptAnswer>, _ answer: ScriptAnswer) { worker.replies.answer(reply, answer) }
}

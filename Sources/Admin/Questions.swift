// The admin thread's questions to the workers, and the receipts of its pushes. A question is a closure that runs on the
// worker's thread; the answers come back together, with whether all came in time.
//
// Runs on: the admin thread.
// Allocates: an entry per question or push, and a closure per question and worker.
// Read next: Gateway/Worker/WorkerMessage.swift, Gateway/Worker/Worker+Inbox.swift.

import EventLoop
import Gateway
import PubSub

/// The answers of all workers to one question.
struct GatheredAnswers<Answer: Sendable> {
    /// By worker; a worker that did not answer in time is missing.
    let each: [(worker: UInt8, answer: Answer)]
    /// Whether every worker answered in time.
    let isComplete: Bool

    var all: [Answer] { each.map(\.answer) }
}

/// The questions and pushes that are not answered yet.
final class Questions {
    /// How long the workers have for an answer, in milliseconds.
    static let patience: UInt64 = 1_000

    private struct Open {
        var awaited: Int
        /// When patience ends, on the loop's clock.
        let deadline: UInt64
        /// Of a push: the deliveries so far.
        var count = DeliveryCount()
        let finish: (DeliveryCount, _ isComplete: Bool) -> Void
    }

    private let loop: EventLoop
    private let workers: WorkerInboxes
    private var open: [UInt64: Open] = [:] {
        didSet { loop.expectsPost = !open.isEmpty }
    }
    private var lastTicket: UInt64 = 0
    private var isWatching = false

    init(loop: EventLoop, workers: WorkerInboxes) {
        self.loop = loop
        self.workers = workers
    }

    /// Whether nothing is asked.
    var isEmpty: Bool { open.isEmpty }

    /// A number that names one question, push or order.
    func nextTicket() -> UInt64 {
        lastTicket += 1
        return lastTicket
    }

    // MARK: Asking

    /// Asks every worker. The closure runs on each worker's thread.
    func askAll<Answer: Sendable>(
        _ question: @escaping @Sendable (Worker) -> Answer, then finish: @escaping (GatheredAnswers<Answer>) -> Void
    ) {
        ask(0..<workers.count, { $0.answer($1, question($0)) }, then: finish)
    }

    /// Asks every worker a question that takes more than a turn: the closure begins it, and its end answers the reply.
    func askAll<Answer: Sendable>(
        _ question: @escaping @Sendable (Worker, Reply<Answer>) -> Void,
        then finish: @escaping (GatheredAnswers<Answer>) -> Void
    ) {
        ask(0..<workers.count, question, then: finish)
    }

    /// Asks one worker; the answer is nil when it does not come in time.
    func ask<Answer: Sendable>(
        _ worker: Int, _ question: @escaping @Sendable (Worker) -> Answer, then finish: @escaping (Answer?) -> Void
    ) {
        ask(worker..<worker + 1, { $0.answer($1, question($0)) }) { finish($0.each.first?.answer) }
    }

    private func ask<Answer: Sendable>(
        _ asked: Range<Int>, _ question: @escaping @Sendable (Worker, Reply<Answer>) -> Void,
        then finish: @escaping (GatheredAnswers<Answer>) -> Void
    ) {
        let reply = Reply(ticket: nextTicket(), answers: Answers<Answer>())
        for worker in asked { workers.tell(worker) { question($0, reply) } }
        wait(reply.ticket, from: asked.count, patience: Self.patience) { [answers = reply.answers] _, isComplete in
            finish(GatheredAnswers(each: answers.sorted, isComplete: isComplete))
        }
    }

    /// Asks the scripts of one worker, which may take their time.
    /// - Parameters:
    ///   - question: runs on the worker's thread, and sees to it that the reply is answered.
    ///   - finish: gets nil when no answer comes in time.
    func askScripts(
        of worker: Int, patience: UInt64,
        _ question: @escaping @Sendable (Worker, Reply<ScriptAnswer>) -> Void,
        then finish: @escaping (ScriptAnswer?) -> Void
    ) {
        let reply = Reply(ticket: nextTicket(), answers: Answers<ScriptAnswer>())
        workers.ask(worker, reply, question)
        wait(reply.ticket, from: 1, patience: patience) { [answers = reply.answers] _, _ in
            finish(answers.sorted.first?.answer)
        }
    }

    /// Waits until `count` workers have handled the push with this receipt.
    func awaitDeliveries(
        _ receipt: UInt64, from count: Int, then finish: @escaping (DeliveryCount, _ isComplete: Bool) -> Void
    ) {
        wait(receipt, from: count, patience: Self.patience, then: finish)
    }

    private func wait(
        _ ticket: UInt64, from count: Int, patience: UInt64,
        then finish: @escaping (DeliveryCount, _ isComplete: Bool) -> Void
    ) {
        guard count > 0 else { return finish(DeliveryCount(), true) }
        open[ticket] = Open(awaited: count, deadline: loop.now + patience, finish: finish)
        if open.count == 1 { watchPatience() }
    }

    // MARK: Answers

    /// A worker has answered the question.
    func answered(_ ticket: UInt64) { settle(ticket, DeliveryCount()) }

    /// A worker has handled a push.
    func delivered(_ receipt: UInt64, _ count: DeliveryCount) { settle(receipt, count) }

    private func settle(_ ticket: UInt64, _ count: DeliveryCount) {
        guard let place = open.index(forKey: ticket) else { return }
        open.values[place].count += count
        open.values[place].awaited -= 1
        guard open.values[place].awaited == 0 else { return }
        let question = open.remove(at: place).value
        question.finish(question.count, true)
    }

    /// Ends every question with the answers that have come, and those that are asked because of it.
    func endAll() {
        while let ticket = open.keys.first { end(ticket) }
    }

    private func end(_ ticket: UInt64) {
        guard let question = open.removeValue(forKey: ticket) else { return }
        question.finish(question.count, false)
    }

    /// One timer for all questions, while there are any.
    private func watchPatience() {
        guard !isWatching else { return }
        isWatching = true
        loop.schedule(after: Self.patience / 10) { [unowned self] in
            isWatching = false
            let now = loop.now
            for ticket in open.filter({ $0.value.deadline <= now }).keys { end(ticket) }
            if !open.isEmpty { watchPatience() }
        }
    }
}

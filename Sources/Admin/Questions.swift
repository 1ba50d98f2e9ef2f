// The admin thread's questions to the workers, and the receipts of its pushes. A question is a closure that runs on the
// worker's thread; the answers come back together, with whether all came in time.
//
// Runs on: the admin thread.
// Allocates: an entry per question or push, and a closure per question and worker.
// Read next: Gateway/Node/WorkerMessage.swift, Gateway/Worker/Worker+Inbox.swift.

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

/// How the wait for the answers to one question or push has ended.
struct EndOfWait {
    /// Of a push: the deliveries of the workers that have reported.
    var count = DeliveryCount()
    /// The broker's answer to a publication that it had accepted; nil when none came, or none was needed.
    var brokerAnswer: BrokerAnswer?
    /// Whether every answer came in time.
    var isComplete = false
}

/// The questions and pushes that are not answered yet.
final class Questions {
    /// How long the workers have for an answer, in milliseconds.
    static let patience: UInt64 = 1_000

    private struct Open {
        /// Workers that have not answered; below zero while workers are ahead of the broker, which says how many there are.
        var awaited: Int
        /// Whether the broker has not answered.
        var awaitsBroker: Bool
        /// When patience ends, on the loop's clock.
        var deadline: UInt64
        /// The answers so far.
        var end = EndOfWait()
        let finish: (EndOfWait) -> Void

        var isSettled: Bool { awaited == 0 && !awaitsBroker }
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
        wait(reply.ticket, from: asked.count, patience: Self.patience) { [answers = reply.answers] end in
            finish(GatheredAnswers(each: answers.sorted, isComplete: end.isComplete))
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
        wait(reply.ticket, from: 1, patience: patience) { [answers = reply.answers] _ in
            finish(answers.sorted.first?.answer)
        }
    }

    /// Waits until `count` workers have handled the push with this receipt.
    func awaitDeliveries(_ receipt: UInt64, from count: Int, then finish: @escaping (EndOfWait) -> Void) {
        wait(receipt, from: count, patience: Self.patience, then: finish)
    }

    /// Waits until the broker has answered and the workers that it names have handled the push with this receipt.
    /// - Parameter patience: milliseconds that the broker has; the workers' time begins with its answer.
    func awaitBroker(_ receipt: UInt64, patience: UInt64, then finish: @escaping (EndOfWait) -> Void) {
        wait(receipt, Open(awaited: 0, awaitsBroker: true, deadline: loop.now + patience, finish: finish))
    }

    private func wait(
        _ ticket: UInt64, from count: Int, patience: UInt64, then finish: @escaping (EndOfWait) -> Void
    ) {
        guard count > 0 else { return finish(EndOfWait(isComplete: true)) }
        wait(ticket, Open(awaited: count, awaitsBroker: false, deadline: loop.now + patience, finish: finish))
    }

    private func wait(_ ticket: UInt64, _ question: Open) {
        open[ticket] = question
        if open.count == 1 { watchPatience() }
    }

    // MARK: Answers

    /// A worker has answered the question.
    func answered(_ ticket: UInt64) { settle(ticket, DeliveryCount()) }

    /// A worker has handled a push.
    func delivered(_ receipt: UInt64, _ count: DeliveryCount) { settle(receipt, count) }

    /// The broker has answered for a publication that it had accepted.
    func brokerAnswered(_ ticket: UInt64, _ answer: BrokerAnswer) {
        guard let place = open.index(forKey: ticket), open.values[place].awaitsBroker else { return }
        open.values[place].awaitsBroker = false
        open.values[place].end.brokerAnswer = answer
        open.values[place].deadline = loop.now + Self.patience
        if case .published(_, let workers) = answer { open.values[place].awaited += workers }
        finishIfSettled(place)
    }

    private func settle(_ ticket: UInt64, _ count: DeliveryCount) {
        guard let place = open.index(forKey: ticket) else { return }
        open.values[place].end.count += count
        open.values[place].awaited -= 1
        finishIfSettled(place)
    }

    private func finishIfSettled(_ place: Dictionary<UInt64, Open>.Index) {
        guard open.values[place].isSettled else { return }
        var question = open.remove(at: place).value
        question.end.isComplete = true
        question.finish(question.end)
    }

    /// Ends every question with the answers that have come, and those that are asked because of it.
    func endAll() {
        while let ticket = open.keys.first { end(ticket) }
    }

    private func end(_ ticket: UInt64) {
        guard let question = open.removeValue(forKey: ticket) else { return }
        question.finish(question.end)
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

// The messages of other threads to the admin thread, and the place where workers put their answers to its questions.
//
// Read next: WorkerMessage.swift, Admin/Questions.swift.

package import EventLoop
package import PubSub
import Synchronization

/// A message in the admin thread's inbox.
package enum AdminMessage: Sendable {
    /// A worker has handled the push with this receipt.
    case delivered(receipt: UInt64, DeliveryCount)
    /// The broker has ordered or failed a publication that it had accepted.
    case brokerAnswered(ticket: UInt64, BrokerAnswer)
    /// A worker has put its answer to the question into the question's ``Answers``.
    case answered(ticket: UInt64)
    case reloaded(ticket: UInt64, ReloadReport)
    /// How an upgrade that a request had asked for ended.
    case upgraded(ticket: UInt64, UpgradeReport)
    /// Begin to accept requests from sockets that were passed to the process.
    case accept([Int32], UnixSocketFile?)
    /// Tell the lifecycle that the loop goes round.
    case answerAlive
    /// The server stops: questions and pushes are still answered. In a handover, new connections belong to the new process.
    case drain(isHandover: Bool)
    /// Answer the requests that are in, and end.
    case stop
}

/// The place where a worker's answer to one question goes.
package struct Reply<Answer: Sendable>: Sendable {
    /// Names the question in the admin thread's inbox.
    package let ticket: UInt64
    package let answers: Answers<Answer>

    package init(ticket: UInt64, answers: Answers<Answer>) {
        self.ticket = ticket
        self.answers = answers
    }
}

/// The answers of workers to one question: each worker adds its own, on its thread.
package final class Answers<Answer: Sendable>: Sendable {
    private let all = Mutex<[(worker: UInt8, answer: Answer)]>([])

    package init() {}

    func add(_ answer: Answer, from worker: UInt8) { all.withLock { $0.append((worker, answer)) } }

    /// The answers that have come, by worker.
    package var sorted: [(worker: UInt8, answer: Answer)] { all.withLock { $0.sorted { $0.worker < $1.worker } } }
}

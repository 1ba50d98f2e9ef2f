// Pushes that wait to be asked about, each behind an earlier one of the same order.
//
// Runs on: the worker's thread.
// Allocates: an entry for each order that is being asked about.
// Read next: BackendQuestions.swift.

import DequeModule
import Scripting

/// A push that `onPublish` is to be asked about.
struct PublishQuestion {
    let question: ScriptQuestion
    let reply: Reply<ScriptAnswer>
}

/// The pushes that wait for the answer to an earlier one of the same order.
struct PushQueue {
    /// An order has an entry while one of its pushes is being asked about.
    private var waiting: [String: Deque<PublishQuestion>] = [:]
    /// How many pushes wait.
    private(set) var count = 0

    /// Begins to ask about a push of this order; false when an earlier one is still being asked about.
    mutating func begin(_ order: String) -> Bool {
        guard waiting[order] == nil else { return false }
        waiting[order] = []
        return true
    }

    /// Adds a push behind the one that is being asked about.
    mutating func append(_ question: PublishQuestion, order: String) {
        waiting[order]?.append(question)
        count += 1
    }

    /// A push of this order is answered; false, and the order is free again, when none waits behind it.
    mutating func end(_ order: String) -> Bool {
        guard waiting[order]?.isEmpty == false else {
            waiting[order] = nil
            return false
        }
        return true
    }

    /// Takes the push that has waited for longest; nil when the queue was emptied meanwhile.
    mutating func next(_ order: String) -> PublishQuestion? {
        guard let next = waiting[order]?.popFirst() else { return nil }
        count -= 1
        return next
    }

    /// Takes all pushes that wait.
    mutating func removeAll() -> [PublishQuestion] {
        defer { self = PushQueue() }
        return waiting.values.flatMap { $0 }
    }
}

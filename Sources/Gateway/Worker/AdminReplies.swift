// The worker's messages to the admin thread: receipts of pushes, and notes that questions are answered. The admin thread is woken
// once for all messages of a turn, after the turn's sockets are written.
//
// Runs on: the worker's thread.
// Read next: ../Node/AdminMessage.swift, Admin/Questions.swift.

import EventLoop
import PubSub
import WebSocket

/// A turn's messages to the admin thread.
final class AdminReplies {
    private let worker: UInt8
    private let node: Node
    private var messages: [AdminMessage] = []

    init(from worker: UInt8, of node: Node) {
        self.worker = worker
        self.node = node
    }

    /// A frame of the inbox has been handled.
    /// - Parameter receipt: nil when no thread waits for the count.
    func handled(_ frame: Frame, receipt: UInt64?, _ count: DeliveryCount) {
        node.workers.handled(frame, on: worker)
        if let receipt { messages.append(.delivered(receipt: receipt, count)) }
    }

    /// Answers a question.
    func answer<Answer>(_ reply: Reply<Answer>, _ answer: Answer) {
        reply.answers.add(answer, from: worker)
        messages.append(.answered(ticket: reply.ticket))
    }

    /// Sends the messages of this turn.
    func post() {
        guard !messages.isEmpty else { return }
        node.admin.post(contentsOf: messages)
        messages.removeAll(keepingCapacity: true)
    }
}

// The workers' inboxes, by number: the fan-out puts publications there, other threads their orders and questions. The frames that
// wait are bounded in number and in bytes: for a worker that does not keep up, its senders are refused, and our memory is safe.
//
// Runs on: any thread.
// Read next: WorkerMessage.swift, ../Worker/WorkerOrders.swift.

import EventLoop
package import PubSub
import Synchronization
package import WebSocket

/// The inboxes of all workers.
package final class WorkerInboxes: PublicationReceiver {
    /// Bytes of frames that may wait for one worker, 256 MiB.
    private static let byteLimit = 256 << 20

    private final class WorkerQueue: Sendable {
        let inbox = Inbox<WorkerMessage>()
        let waitingBytes = Atomic<Int>(0)
        /// Whether messages of the admin thread's turn wait, for which the worker was not woken.
        let owesWakeUp = Atomic<Bool>(false)

        var isOverloaded: Bool {
            waitingBytes.load(ordering: .relaxed) > WorkerInboxes.byteLimit || inbox.isFull
        }

        /// - Parameter isFromAdmin: whether the admin thread sends it: the worker is woken once for all pushes of a turn.
        func post(_ message: WorkerMessage, bytes: Int, isFromAdmin: Bool) {
            waitingBytes.add(bytes, ordering: .relaxed)
            guard isFromAdmin else { return inbox.post(message) }
            inbox.postQuietly(message)
            owesWakeUp.store(true, ordering: .relaxed)
        }
    }

    private let queues: [WorkerQueue]
    /// The thread that gets the broker's answers.
    private let admin: Inbox<AdminMessage>

    init(count: Int, admin: Inbox<AdminMessage>) {
        queues = (0..<count).map { _ in WorkerQueue() }
        self.admin = admin
    }

    package var count: Int { queues.count }

    subscript(worker: Int) -> Inbox<WorkerMessage> { queues[worker].inbox }

    /// Puts an order or a question into a worker's inbox.
    func post(_ message: WorkerMessage, to worker: Int) { queues[worker].inbox.post(message) }

    // MARK: Frames

    /// Sends a frame to an audience on one worker; false when that worker does not keep up.
    package func send(_ frame: Frame, to audience: Audience, on worker: Int, receipt: UInt64?) -> Bool {
        let queue = queues[worker]
        guard !queue.isOverloaded else { return false }
        queue.post(.send(frame, to: audience, receipt: receipt), bytes: frame.count, isFromAdmin: receipt != nil)
        return true
    }

    /// The admin thread's turn ends: wakes the workers that it has pushes for.
    package func wakeForPushes() {
        for queue in queues where queue.owesWakeUp.load(ordering: .relaxed) {
            queue.owesWakeUp.store(false, ordering: .relaxed)
            queue.inbox.wakeOwner()
        }
    }

    /// Notes that a worker has handled a frame of an inbox.
    func handled(_ frame: Frame, on worker: UInt8) {
        queues[Int(worker)].waitingBytes.subtract(frame.count, ordering: .relaxed)
    }

    package func isOverloaded(_ workers: WorkerSet) -> Bool {
        var isOverloaded = false
        workers.forEach { if queues[Int($0)].isOverloaded { isOverloaded = true } }
        return isOverloaded
    }

    package func receive(
        _ publication: Publication, for workers: WorkerSet, from origin: PublishingThread, receipt: UInt64?
    ) -> Bool {
        var deliversHere = false
        workers.forEach { worker in
            let queue = queues[Int(worker)]
            if origin == .worker(worker) && queue.inbox.isEmpty {
                deliversHere = true
            } else {
                queue.post(
                    .deliver(publication, receipt: receipt), bytes: publication.frame.count,
                    isFromAdmin: origin == .admin)
            }
        }
        return deliversHere
    }

    package func answer(_ answer: BrokerAnswer, to asker: Asker) {
        switch asker {
        case .admin(let ticket): admin.post(.brokerAnswered(ticket: ticket, answer))
        case .worker(let worker, let ticket):
            queues[Int(worker)].inbox.post(.brokerAnswered(ticket: ticket, answer))
        case .nobody: break
        }
    }
}

// The workers' inboxes, by number: where the broker puts publications, and the admin thread its questions.

import EventLoop
import PubSub

/// The doors to all workers.
final class WorkerInboxes: PublicationReceiver {
    private let inboxes: [Inbox<WorkerMessage>]

    init(count: Int) { inboxes = (0..<count).map { _ in Inbox() } }

    var count: Int { inboxes.count }

    subscript(worker: Int) -> Inbox<WorkerMessage> { inboxes[worker] }

    func postToAll(_ message: WorkerMessage) {
        for inbox in inboxes { inbox.post(message) }
    }

    /// Posts to every worker but one.
    func postToOthers(of worker: UInt8, _ message: WorkerMessage) {
        for (index, inbox) in inboxes.enumerated() where index != Int(worker) { inbox.post(message) }
    }

    func isOverloaded(_ workers: WorkerSet) -> Bool {
        var isFull = false
        workers.forEach { if inboxes[Int($0)].isFull { isFull = true } }
        return isFull
    }

    func receive(_ publication: Publication, for workers: WorkerSet, origin: UInt8?, receipt: UInt64?) -> Bool {
        var deliversHere = false
        workers.forEach { worker in
            let inbox = inboxes[Int(worker)]
            if worker == origin && inbox.isEmpty {
                deliversHere = true
            } else {
                inbox.post(.deliver(publication, receipt: receipt))
            }
        }
        return deliversHere
    }
}

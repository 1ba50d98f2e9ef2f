// The workers' inboxes, by number: where the broker puts publications, and the admin thread its questions. What waits is
// bounded in number and in bytes, so that a worker that does not keep up costs its senders an answer and not us our memory.

import EventLoop
import PubSub
import Synchronization
import WebSocket

/// The doors to all workers.
final class WorkerInboxes: PublicationReceiver {
    /// Bytes of frames that may wait for one worker, 256 MiB.
    private static let byteLimit = 256 << 20

    private final class Door: Sendable {
        let inbox = Inbox<WorkerMessage>()
        let waitingBytes = Atomic<Int>(0)

        var isOverloaded: Bool {
            waitingBytes.load(ordering: .relaxed) > WorkerInboxes.byteLimit || inbox.isFull
        }

        func post(_ message: WorkerMessage, bytes: Int) {
            waitingBytes.add(bytes, ordering: .relaxed)
            inbox.post(message)
        }
    }

    private let doors: [Door]

    init(count: Int) { doors = (0..<count).map { _ in Door() } }

    var count: Int { doors.count }

    subscript(worker: Int) -> Inbox<WorkerMessage> { doors[worker].inbox }

    /// Posts a control message to every worker.
    func postToAll(_ message: WorkerMessage) {
        for door in doors { door.inbox.post(message) }
    }

    // MARK: Frames

    /// Sends a frame to an audience on one worker; false when that worker does not keep up.
    func send(_ frame: Frame, to audience: Audience, on worker: Int, ticket: UInt64?) -> Bool {
        let door = doors[worker]
        guard !door.isOverloaded else { return false }
        door.post(.send(frame, to: audience, ticket: ticket), bytes: frame.count)
        return true
    }

    /// Notes that a worker has handled a frame of an inbox.
    func handled(_ frame: Frame, on worker: UInt8) {
        doors[Int(worker)].waitingBytes.subtract(frame.count, ordering: .relaxed)
    }

    func isOverloaded(_ workers: WorkerSet) -> Bool {
        var isOverloaded = false
        workers.forEach { if doors[Int($0)].isOverloaded { isOverloaded = true } }
        return isOverloaded
    }

    func receive(_ publication: Publication, for workers: WorkerSet, origin: UInt8?, receipt: UInt64?) -> Bool {
        var deliversHere = false
        workers.forEach { worker in
            let door = doors[Int(worker)]
            if worker == origin && door.inbox.isEmpty {
                deliversHere = true
            } else {
                door.post(.deliver(publication, receipt: receipt), bytes: publication.frame.count)
            }
        }
        return deliversHere
    }
}

// Publications that wait for a slow client where the channel's policy lets them give way: they stay messages, in a backlog, until
// the socket is free again, while all other bytes wait in the socket. Once there is a backlog every later message joins it, so
// the order stays.

import EventLoop
import PubSub
import WebSocket

extension ClientConnection {
    /// Bytes that the kernel has not taken yet.
    var waitingBytes: Int { hasBacklog ? queuedBytes + (extras?.value.backlog?.byteCount ?? 0) : queuedBytes }

    /// What counts against `websocket.maxQueue`.
    var queueCost: Int { hasBacklog ? queuedBytes + (extras?.value.backlog?.cost ?? 0) : queuedBytes }

    /// Delivers at once to a client that keeps up; for any other, what the policy says.
    func deliver(_ publication: Publication, waiting policy: SlowConsumerPolicy) -> Delivery {
        catchUp()
        guard phase == .open else { return .dropped }
        if !hasBacklog && !isBlocked {
            // What is queued within a turn is first offered to the kernel.
            if queuedBytes > 0 && queuedBytes + publication.frame.count > worker.maxQueue { flushNow() }
            if !isBlocked {
                writeMessage(publication.frame)
                return .queued
            }
        }
        let backlog = extras?.value.backlog ?? Backlog()
        guard let displaced = backlog.append(publication, policy, limit: worker.maxQueue - queuedBytes) else {
            // A state that is not told would be wrong for ever.
            if policy == .conflate { close(.slowConsumer) }
            return .dropped
        }
        keep(backlog)
        return displaced == 0 ? .queued : .displaced(displaced)
    }

    /// Hands all that waits to the socket, for what must come after it.
    func spillBacklog() {
        guard hasBacklog, let backlog = extras?.value.backlog else { return }
        while let frame = backlog.popFirst() { writeMessage(frame) }
        dropBacklog()
    }

    /// Handed to the kernel in one piece, roughly.
    private static let batch = 64 << 10

    /// The socket has written what it had: the backlog follows, as much as the kernel takes.
    func sendBacklog() {
        guard let backlog = extras?.value.backlog else { return }
        while !isBlocked, isWritable, let frame = backlog.popFirst() {
            writeMessage(frame)
            if queuedBytes >= Self.batch || backlog.isEmpty { flushNow() }
        }
        if backlog.isEmpty { dropBacklog() }
    }

    private func keep(_ backlog: Backlog) {
        guard !hasBacklog else { return }
        makeExtras().value.backlog = backlog
        hasBacklog = true
    }

    private func dropBacklog() {
        extras?.value.backlog = nil
        hasBacklog = false
    }
}

// The loop's end of an inbox: its wake-up descriptor as a source, and the draining of one batch per turn.
//
// Runs on: the loop's thread.

import CLinux
import Glibc

/// What the loop asks of its inbox, whatever the type of its messages.
class AnyInboxSource: Source {
    /// How many messages of the present batch are still to be handled.
    final var pending = 0
    /// Handles the messages that wait; true when there were any.
    func drain() -> Bool { false }
    /// False when a message waits, so that the loop must not sleep.
    func prepareToSleep() -> Bool { true }
    func awake() {}
}

final class InboxSource<Message: Sendable>: AnyInboxSource {
    private let inbox: Inbox<Message>
    private let handle: (Message) -> Void
    private var batch: [Message] = []

    init(_ inbox: Inbox<Message>, handle: @escaping (Message) -> Void) {
        self.inbox = inbox
        self.handle = handle
        // The inbox may outlive the loop and be posted to; the source has a descriptor of its own for the same counter.
        super.init(descriptor: dup(inbox.wakeUp))
    }

    override func drain() -> Bool {
        inbox.drain(into: &batch)
        guard !batch.isEmpty else { return false }
        pending = batch.count
        for message in batch {
            pending -= 1
            handle(message)
        }
        // The batch lets go of its messages now: the next one may be a long time in coming.
        batch.removeAll(keepingCapacity: batch.capacity <= Inbox<Message>.keptCapacity)
        return true
    }

    override func prepareToSleep() -> Bool { inbox.prepareToSleep() }
    override func awake() { inbox.awake() }
}

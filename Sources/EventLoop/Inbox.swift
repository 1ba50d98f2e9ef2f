// The only way for a message from one thread to another: any thread posts, and the owning loop drains once a turn.
// Messages are immutable (`Sendable`). A wake-up is written only for a loop that sleeps, so a burst of posts costs one
// system call.
//
// The loop's end is a source on the inbox's wake-up descriptor, which drains one batch in each turn.
//
// Runs on: any thread for `post`; the owner's thread for `drain` and `wait`.
// Allocates: when the batch is larger than any before.

import CLinux
import Glibc
import Synchronization

/// A mailbox of one event loop.
public final class Inbox<Message: Sendable>: Sendable {
    private struct State {
        var messages: [Message] = []
        var ownerSleeps = false
    }

    private let state = Mutex(State())
    private let limit: Int
    let wakeUp: Int32

    /// After a drain, room for at most this many messages is kept.
    static var keptCapacity: Int { 4096 }

    /// - Parameter limit: the number of waiting messages at which the inbox counts as full; it takes more nevertheless.
    public init(limit: Int = 1 << 16) {
        self.limit = limit
        wakeUp = clinux_eventfd()
    }

    deinit { close(wakeUp) }

    /// Adds a message, even if the inbox is full. A sender of data checks `isFull` first.
    public func post(_ message: Message) {
        let sleeps = state.withLock { state in
            state.messages.append(message)
            return Self.takeSleep(&state)
        }
        if sleeps { wake() }
    }

    /// Adds a message and does not wake the owner: a sender of several messages calls `wakeOwner` after the last one.
    public func postQuietly(_ message: Message) { state.withLock { $0.messages.append(message) } }

    /// Wakes an owner that sleeps although messages wait.
    public func wakeOwner() {
        let sleeps = state.withLock { state in state.messages.isEmpty ? false : Self.takeSleep(&state) }
        if sleeps { wake() }
    }

    /// Adds several messages, with one wake-up.
    public func post(contentsOf messages: [Message]) {
        let sleeps = state.withLock { state in
            state.messages.append(contentsOf: messages)
            return Self.takeSleep(&state)
        }
        if sleeps { wake() }
    }

    /// Whether `limit` or more messages wait: time for senders of data to hold back.
    public var isFull: Bool { state.withLock { $0.messages.count >= limit } }

    /// Whether nothing waits at this moment.
    public var isEmpty: Bool { state.withLock { $0.messages.isEmpty } }

    /// Swaps the waiting messages with the emptied `batch`, in posting order.
    func drain(into batch: inout [Message]) {
        batch.removeAll(keepingCapacity: batch.capacity <= Self.keptCapacity)
        state.withLock { swap(&$0.messages, &batch) }
    }

    /// Waits for messages and takes them: for a thread without a loop.
    /// - Parameter milliseconds: how long to wait at most; by default without end.
    /// - Returns: none when the time was over.
    public func wait(atMost milliseconds: Int32 = -1) -> [Message] {
        var batch: [Message] = []
        while true {
            drain(into: &batch)
            if !batch.isEmpty || milliseconds == 0 { return batch }
            guard prepareToSleep() else { continue }
            var descriptor = pollfd(fd: wakeUp, events: Int16(POLLIN), revents: 0)
            let isReady = poll(&descriptor, 1, milliseconds) > 0
            var counter: UInt64 = 0
            if isReady { _ = read(wakeUp, &counter, 8) }
            awake()
            if !isReady && milliseconds > 0 {
                drain(into: &batch)
                return batch
            }
        }
    }

    /// Notes that the owner is about to sleep; false when a message waits and it must not.
    func prepareToSleep() -> Bool {
        state.withLock { state in
            state.ownerSleeps = state.messages.isEmpty
            return state.ownerSleeps
        }
    }

    /// Notes that the owner is awake.
    func awake() { state.withLock { $0.ownerSleeps = false } }

    private static func takeSleep(_ state: inout State) -> Bool {
        defer { state.ownerSleeps = false }
        return state.ownerSleeps
    }

    private func wake() {
        var one: UInt64 = 1
        _ = write(wakeUp, &one, 8)
    }
}

/// The loop's end of its inbox, independent of the type of the messages.
final class InboxSource: Source {
    /// The number of messages of the current batch that are still to be handled.
    fileprivate(set) var pending = 0
    private let drainBatch: (InboxSource) -> Bool
    private let mayLoopSleep: () -> Bool
    private let loopAwakes: () -> Void

    /// The closures know the type of the messages: generic code that is called through a class's table would not be compiled for
    /// that type.
    init<Message: Sendable>(_ inbox: Inbox<Message>, handle: @escaping (Message) -> Void) {
        var batch: [Message] = []
        drainBatch = { source in
            inbox.drain(into: &batch)
            guard !batch.isEmpty else { return false }
            source.pending = batch.count
            for message in batch {
                source.pending -= 1
                handle(message)
            }
            // The batch releases its messages now, because the next batch may come much later.
            batch.removeAll(keepingCapacity: batch.capacity <= Inbox<Message>.keptCapacity)
            return true
        }
        mayLoopSleep = { inbox.prepareToSleep() }
        loopAwakes = { inbox.awake() }
        // The inbox may outlive the loop and be posted to; the source has its own descriptor of the same counter.
        super.init(descriptor: dup(inbox.wakeUp))
    }

    /// Handles the messages that wait; true when there were any.
    func drain() -> Bool { drainBatch(self) }

    /// False when a message waits, so that the loop must not sleep.
    func prepareToSleep() -> Bool { mayLoopSleep() }
    func awake() { loopAwakes() }
}

// The one door between threads: anybody posts, the owning loop drains once a turn. What goes through is immutable
// (`Sendable`), and a wake-up is written only for a loop that sleeps, so a burst of posts costs one system call.
//
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

    /// Room for so many messages is kept when they are gone.
    static var keptCapacity: Int { 4096 }

    /// - Parameter limit: how many waiting messages make the inbox full; it takes more all the same.
    public init(limit: Int = 1 << 16) {
        self.limit = limit
        wakeUp = clinux_eventfd()
    }

    deinit { close(wakeUp) }

    /// Adds a message, whatever the length of the queue; who sends data looks at `isFull` first.
    public func post(_ message: Message) {
        let sleeps = state.withLock { state in
            state.messages.append(message)
            return Self.takeSleep(&state)
        }
        if sleeps { wake() }
    }

    /// Adds a message and lets a sleeping owner sleep: for a sender of several messages, who calls `wakeOwner` behind the last.
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

    /// Swaps the waiting messages against the emptied `batch`, in posting order.
    func drain(into batch: inout [Message]) {
        batch.removeAll(keepingCapacity: batch.capacity <= Self.keptCapacity)
        state.withLock { swap(&$0.messages, &batch) }
    }

    /// Waits for messages and takes them: for a thread without a loop.
    public func wait() -> [Message] {
        var batch: [Message] = []
        while true {
            drain(into: &batch)
            if !batch.isEmpty { return batch }
            guard prepareToSleep() else { continue }
            var descriptor = pollfd(fd: wakeUp, events: Int16(POLLIN), revents: 0)
            _ = poll(&descriptor, 1, -1)
            var counter: UInt64 = 0
            _ = read(wakeUp, &counter, 8)
            awake()
        }
    }

    /// Notes that the owner is about to sleep; false when a message waits and it must not.
    func prepareToSleep() -> Bool {
        state.withLock { state in
            state.ownerSleeps = state.messages.isEmpty
            return state.ownerSleeps
        }
    }

    /// Notes that the owner is awake, for whatever reason.
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

// Which keys were used, for which content, and with which answer: a value without I/O and without a clock of its own. A key is kept
// for five minutes from its answer on. Beyond the bounds in number and bytes the oldest answers are forgotten first, and counted.
//
// Runs on: the admin thread.
// Allocates: an entry per key.
// Read next: Idempotency.swift.

import DequeModule

/// The keys of the last minutes.
/// - Parameter Answer: a kept answer.
/// - Parameter Waiter: something that waits for an answer that is still to come.
struct IdempotencyTable<Answer, Waiter> {
    /// A key as one sender used it: senders do not see each other's.
    struct Key: Hashable {
        let sender: String
        /// The key's bytes: two spellings that Unicode calls equivalent are two keys.
        let text: [UInt8]

        init(_ text: String, of sender: String) {
            self.sender = sender
            self.text = Array(text.utf8)
        }
    }

    /// What a request with a key finds.
    enum Finding {
        /// The key is new: the request is performed, and `finish` takes its answer.
        case new
        /// The answer is still to come, and the waiter gets it.
        case waits
        /// The first answer.
        case known(Answer)
        /// The key was used for other content.
        case reused
        /// So many first requests are not answered that no key may be added.
        case full
    }

    private struct Entry {
        let content: PushDigest
        /// Nil until the first request is answered.
        var answer: Answer?
        var waiters: [Waiter] = []
        /// Counted against the bound in bytes.
        var bytes: Int
    }

    /// Milliseconds for which an answer is kept.
    static var lifetime: UInt64 { 300_000 }
    /// Bytes that an entry takes besides its key and its answer.
    static var overhead: Int { 200 }

    private let maxCount: Int
    private let maxBytes: Int
    private var entries: [Key: Entry] = [:]
    /// The answered entries, oldest first, each with the time at which it ends.
    private var answered: Deque<(key: Key, end: UInt64)> = []
    private var unanswered = 0
    private(set) var bytes = 0
    /// Answers that were dropped before their time, because of a bound.
    private(set) var forgotten: UInt64 = 0

    init(maxCount: Int = 100_000, maxBytes: Int = 64 << 20) {
        self.maxCount = maxCount
        self.maxBytes = maxBytes
    }

    /// The keys that are kept.
    var count: Int { entries.count }

    /// A request with a key begins.
    mutating func begin(
        _ key: Key, _ content: PushDigest, at now: UInt64, waiter: @autoclosure () -> Waiter
    ) -> Finding {
        expire(at: now)
        if let place = entries.index(forKey: key) {
            guard entries.values[place].content == content else { return .reused }
            if let answer = entries.values[place].answer { return .known(answer) }
            entries.values[place].waiters.append(waiter())
            return .waits
        }
        guard unanswered < maxCount else { return .full }
        let size = key.text.count + key.sender.utf8.count + Self.overhead
        entries[key] = Entry(content: content, bytes: size)
        bytes += size
        unanswered += 1
        shrink()
        return .new
    }

    /// The first request of a key is answered.
    /// - Parameter answer: nil where nothing was pushed: the key is then free again.
    /// - Returns: those that waited for the answer.
    mutating func finish(_ key: Key, _ answer: Answer?, bytes size: Int, at now: UInt64) -> [Waiter] {
        guard let place = entries.index(forKey: key), entries.values[place].answer == nil else { return [] }
        unanswered -= 1
        let waiters = entries.values[place].waiters
        guard let answer else {
            bytes -= entries.remove(at: place).value.bytes
            return waiters
        }
        entries.values[place].waiters = []
        entries.values[place].answer = answer
        entries.values[place].bytes += size
        bytes += size
        answered.append((key, now + Self.lifetime))
        shrink()
        return waiters
    }

    private mutating func expire(at now: UInt64) {
        while let oldest = answered.first, oldest.end <= now { dropOldest() }
    }

    private mutating func shrink() {
        while entries.count > maxCount || bytes > maxBytes, !answered.isEmpty {
            dropOldest()
            forgotten += 1
        }
    }

    private mutating func dropOldest() {
        guard let oldest = answered.popFirst(), let entry = entries.removeValue(forKey: oldest.key) else { return }
        bytes -= entry.bytes
    }
}

/// Content as 128 bits that only this process can compute: content that differs has another digest but for chance.
struct PushDigest: Hashable {
    private let first: Int
    private let second: Int

    /// - Parameter feed: gives the content to a hasher, the same each time.
    init(_ feed: (inout Hasher) -> Void) {
        first = Self.hash(1, feed)
        second = Self.hash(2, feed)
    }

    private static func hash(_ salt: UInt8, _ feed: (inout Hasher) -> Void) -> Int {
        var hasher = Hasher()
        hasher.combine(salt)
        feed(&hasher)
        return hasher.finalize()
    }
}

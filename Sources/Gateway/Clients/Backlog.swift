// The messages that wait for a slow consumer, where the channel's policy may take them out again or replace them. A client that
// keeps up has no backlog. A client whose channels all close slow consumers has none either: its bytes wait in the socket.
//
// Allocates: an entry for each message that waits.

import DequeModule
import PubSub
import WebSocket

/// A slow client's waiting messages, in order.
final class Backlog {
    /// Bytes that an entry takes besides its frame, roughly: small messages shall not cost more than the limit says.
    static let entryOverhead = 112

    /// One message that waits.
    private final class Entry {
        /// Nil when it has given way to a newer one.
        var frame: Frame?
        /// Nil for a message that no policy takes out again.
        let policy: SlowConsumerPolicy?
        /// The topic of a conflated message.
        let topic: Topic?

        init(_ frame: Frame, policy: SlowConsumerPolicy?, topic: Topic?) {
            self.frame = frame
            self.policy = policy
            self.topic = topic
        }
    }

    /// The channel and key of a conflated message. The key counts by its bytes: two spellings that Unicode calls equivalent are
    /// two keys.
    private struct Topic: Hashable {
        let channel: Channel
        let key: [UInt8]?
    }

    private var entries: Deque<Entry> = []
    /// Of each topic, the entry that the next one of it replaces.
    private var newest: [Topic: Entry] = [:]
    /// No entry before this index gives way.
    private var firstDroppable = 0
    /// Bytes that could be freed by dropping every droppable entry.
    private var droppableCost = 0
    private var goneCount = 0
    /// Bytes of the frames that wait.
    private(set) var byteCount = 0

    /// Bytes that count against the limit of a queue.
    var cost: Int { byteCount + (entries.count - goneCount) * Self.entryOverhead }

    /// The number of entries, with those that have given way and are not yet taken out.
    var entryCount: Int { entries.count }

    var isEmpty: Bool { entries.count == goneCount }

    /// Adds a message that stays until it is sent.
    func append(_ frame: Frame) { append(Entry(frame, policy: nil, topic: nil)) }

    /// Adds a publication, if the limit or the policy makes room for it.
    /// - Parameters:
    ///   - frame: the publication in the client's form.
    ///   - limit: the most that `cost` may be with it.
    /// - Returns: the number of older messages that it displaced; nil when there is no room.
    func append(_ frame: Frame, of publication: Publication, _ policy: SlowConsumerPolicy, limit: Int) -> Int? {
        switch policy {
        case .conflate:
            return conflate(frame, of: publication, limit: limit)
        case .dropOldest:
            guard let displaced = makeRoom(for: frame, limit: limit) else { return nil }
            append(Entry(frame, policy: policy, topic: nil))
            return displaced
        case .close, .dropNewest:
            guard fits(frame, limit) else { return nil }
            append(Entry(frame, policy: policy, topic: nil))
            return 0
        }
    }

    /// Takes the first message, nil when none waits.
    func popFirst() -> Frame? {
        while let entry = entries.popFirst() {
            firstDroppable = max(0, firstDroppable - 1)
            guard let frame = entry.frame else {
                goneCount -= 1
                continue
            }
            noteGone(entry, frame)
            if let topic = entry.topic { newest[topic] = nil }
            return frame
        }
        return nil
    }

    private func append(_ entry: Entry) {
        let count = entry.frame?.count ?? 0
        byteCount += count
        if entry.policy == .dropOldest { droppableCost += count + Self.entryOverhead }
        entries.append(entry)
    }

    private func noteGone(_ entry: Entry, _ frame: Frame) {
        byteCount -= frame.count
        if entry.policy == .dropOldest { droppableCost -= frame.count + Self.entryOverhead }
    }

    private func fits(_ frame: Frame, _ limit: Int) -> Bool { cost + frame.count + Self.entryOverhead <= limit }

    /// Replaces the one that waits, in its place, so that a busy topic does not fall behind the others for ever.
    private func conflate(_ frame: Frame, of publication: Publication, limit: Int) -> Int? {
        let topic = Topic(channel: publication.channel, key: publication.key.map { Array($0.utf8) })
        if let entry = newest[topic], let old = entry.frame {
            guard cost - old.count + frame.count <= limit else { return nil }
            byteCount += frame.count - old.count
            entry.frame = frame
            return 1
        }
        guard fits(frame, limit) else { return nil }
        let entry = Entry(frame, policy: .conflate, topic: topic)
        newest[topic] = entry
        append(entry)
        return 0
    }

    /// Drops the oldest until the frame fits; nil, and nothing dropped, when all of them together would not be enough.
    private func makeRoom(for frame: Frame, limit: Int) -> Int? {
        guard !fits(frame, limit) else { return 0 }
        guard cost - droppableCost + frame.count + Self.entryOverhead <= limit else { return nil }
        var displaced = 0
        while !fits(frame, limit), firstDroppable < entries.count {
            let entry = entries[firstDroppable]
            if entry.policy == .dropOldest, let old = entry.frame {
                noteGone(entry, old)
                entry.frame = nil
                goneCount += 1
                displaced += 1
            }
            firstDroppable += 1
            if goneCount > entries.count / 2 { compact() }
        }
        return displaced
    }

    /// Takes out the entries that have given way, once they are most of all.
    private func compact() {
        var kept: Deque<Entry> = []
        var before = 0
        for (index, entry) in entries.enumerated() where entry.frame != nil {
            if index < firstDroppable { before += 1 }
            kept.append(entry)
        }
        (entries, firstDroppable, goneCount) = (kept, before, 0)
    }
}

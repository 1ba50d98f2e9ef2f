// Counts by key that all threads share: connections of an address, connections of a user. Spread over shards, each with a lock
// of its own, and touched only when a connection comes and when it goes.
//
// Allocates: an entry for each key in use.

import Synchronization

/// How many of something each key has.
final class SharedCounts<Key: Hashable & Sendable>: Sendable {
    private final class Shard: Sendable {
        let counts = Mutex<[Key: Int]>([:])
    }

    private let shards: [Shard]
    /// The most that one key may have.
    let limit: Int

    /// - Parameter limit: at least 1.
    init(limit: Int, shards count: Int = 16) {
        self.limit = limit
        shards = (0..<count).map { _ in Shard() }
    }

    /// Adds one to the key's count; false, and nothing added, when the key has as many as it may.
    func take(_ key: Key) -> Bool {
        shard(of: key).counts.withLock { counts in
            guard counts[key, default: 0] < limit else { return false }
            counts[key, default: 0] += 1
            return true
        }
    }

    /// Takes one off, once for each `take` that was granted.
    func release(_ key: Key) {
        shard(of: key).counts.withLock { counts in
            guard let count = counts[key] else { return }
            counts[key] = count > 1 ? count - 1 : nil
        }
    }

    /// How many keys have any.
    var keyCount: Int { shards.reduce(0) { $0 + $1.counts.withLock(\.count) } }

    private func shard(of key: Key) -> Shard {
        shards[Int(UInt(bitPattern: key.hashValue) % UInt(shards.count))]
    }
}

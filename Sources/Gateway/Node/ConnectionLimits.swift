// The limits on connections, which all workers count together. They change when a connection comes and when it goes, never for
// a message.
//
// Runs on: every worker's thread, and the admin thread, which watches the memory.
// Read next: ../Worker/Connections/Admission.swift.

import Settings
import Synchronization

/// The limits that hold for all workers together.
package final class ConnectionLimits: Sendable {
    /// The limit that refuses a client before a byte of it is read.
    enum Refusal {
        case connections, memory, rate
    }

    /// Connections of one address; nil for any number.
    let perAddress: SharedCounts<UInt64>?
    /// Connections of one user, by the bytes of the name; nil for any number.
    let perUser: SharedCounts<[UInt8]>?
    private let handshakes: SharedRate?
    private let limit: Int
    private let count = Atomic<Int>(0)
    private let isMemoryTight = Atomic<Bool>(false)

    init(_ limits: Configuration.Limits) {
        limit = limits.connections
        perAddress = limits.connectionsPerIP > 0 ? SharedCounts(limit: limits.connectionsPerIP) : nil
        perUser = limits.connectionsPerUser > 0 ? SharedCounts(limit: limits.connectionsPerUser) : nil
        handshakes = limits.handshakesPerSecond > 0 ? SharedRate(perSecond: limits.handshakesPerSecond) : nil
    }

    /// Counts one more connection, or answers the limit that forbids it.
    /// - Parameter now: nanoseconds of the monotonic clock.
    func admit(at now: @autoclosure () -> UInt64) -> Refusal? {
        if isMemoryTight.load(ordering: .relaxed) { return .memory }
        guard count.add(1, ordering: .relaxed).newValue <= limit else {
            leave()
            return .connections
        }
        guard handshakes?.take(at: now()) ?? true else {
            leave()
            return .rate
        }
        return nil
    }

    /// A connection that was admitted is gone.
    func leave() { count.subtract(1, ordering: .relaxed) }

    /// Whether the process takes more memory than it may.
    package var memoryIsTight: Bool {
        get { isMemoryTight.load(ordering: .relaxed) }
        set { isMemoryTight.store(newValue, ordering: .relaxed) }
    }
}

// Counts by key that all threads share: connections of an address, connections of a user. Spread over shards, each with a lock
// of its own, and touched only when a connection comes and when it goes.

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

    /// Adds one to the key's count; false, and not added, when the key has as many as it may.
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

    /// The number of keys with a count.
    var keyCount: Int { shards.reduce(0) { $0 + $1.counts.withLock(\.count) } }

    private func shard(of key: Key) -> Shard {
        shards[Int(UInt(bitPattern: key.hashValue) % UInt(shards.count))]
    }
}

// A rate that all threads share, in one word: the time at which the bucket will be full again (the generic cell rate algorithm,
// which ATM networks used). No thread refills it, and there is no lock.

/// At most so many events a second, and so many at once after a pause of a second.
final class SharedRate: Sendable {
    private static let second: UInt64 = 1_000_000_000
    private let interval: UInt64
    private let fullAt = Atomic<UInt64>(0)

    /// - Parameter perSecond: 1 to 1,000,000.
    init(perSecond: Int) { interval = Self.second / UInt64(perSecond) }

    /// Takes one event if the rate allows it.
    /// - Parameter now: nanoseconds of a clock that never goes back.
    func take(at now: UInt64) -> Bool {
        var full = fullAt.load(ordering: .relaxed)
        while true {
            let next = max(full, now) + interval
            guard next - now <= Self.second else { return false }
            let (exchanged, original) = fullAt.weakCompareExchange(expected: full, desired: next, ordering: .relaxed)
            if exchanged { return true }
            full = original
        }
    }
}

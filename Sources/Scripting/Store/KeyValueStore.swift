// The values that scripts share, behind `kv`. Spread over shards so that workers seldom meet at one lock; the bytes are
// counted over all of them.
//
// Runs on: any thread. Read next: KeyValueShard.swift.

import Glibc
import Synchronization

/// Plain values by key, shared by all workers, with an optional lifetime each and a limit on the bytes of all.
///
/// Every operation is atomic. An entry that has expired is absent at once, and its memory is freed by later writes: eight
/// entries by each, and up to 4,096 by one that finds no room.
public final class KeyValueStore: Sendable {
    /// What ``add(_:to:lifetime:)`` did.
    public enum Addition: Sendable, Equatable {
        case value(KeyValue)
        case notANumber
        case full
    }

    /// What ``swap(_:expected:for:lifetime:)`` did.
    public enum Swap: Sendable, Equatable {
        case swapped
        case mismatch(KeyValue?)
        case full
    }

    private static let shardCount = 16

    /// How many expired entries a write frees that finds no room: it has a worker wait, and a lock. The next write frees more.
    static let largestSweep = 4096

    /// The most bytes that keys and values may take, with 96 for each entry.
    public let limit: Int
    private let shards: [KeyValueShard]
    private let used = Atomic<Int>(0)
    private let now: @Sendable () -> Double

    /// Makes an empty store. `now` are monotonic seconds.
    public init(limit: Int = 64 << 20, now: @escaping @Sendable () -> Double = KeyValueStore.monotonicSeconds) {
        self.limit = limit
        self.now = now
        self.shards = (0..<Self.shardCount).map { _ in KeyValueShard() }
    }

    /// Bytes in use, expired entries that were not yet freed included.
    public var bytesInUse: Int {
        used.load(ordering: .relaxed)
    }

    /// The number of entries, expired ones that were not yet freed included.
    public var count: Int {
        shards.reduce(0) { $0 + $1.count }
    }

    /// The value of a key, `nil` when there is none.
    public func value(of key: [UInt8]) -> KeyValue? {
        shard(of: key).value(of: key, now: now())
    }

    /// Sets or, with `nil`, deletes. False when the store is full.
    public func set(_ key: [UInt8], to value: KeyValue?, lifetime: Double? = nil) -> Bool {
        let time = now()
        return change(key, at: time) { _, entry in
            entry = value.map { KeyValueShard.Entry(value: $0, deadline: lifetime.map { time + $0 }) }
        } != nil
    }

    /// Adds to a number; an absent one counts as 0. The lifetime is for an entry that this creates.
    public func add(_ amount: KeyValue, to key: [UInt8], lifetime: Double? = nil) -> Addition {
        let time = now()
        let result = change(key, at: time) { old, entry -> Addition in
            guard let sum = (old?.value ?? .integer(0)).adding(amount) else { return .notANumber }
            let deadline = old == nil ? lifetime.map { time + $0 } : old?.deadline
            entry = KeyValueShard.Entry(value: sum, deadline: deadline)
            return .value(sum)
        }
        return result ?? .full
    }

    /// Sets the key if its value is the expected one; `nil` stands for absence on either side.
    public func swap(
        _ key: [UInt8], expected: KeyValue?, for value: KeyValue?, lifetime: Double? = nil
    ) -> Swap {
        let time = now()
        let result = change(key, at: time) { old, entry -> Swap in
            let isExpected =
                switch (old?.value, expected) {
                case (nil, nil): true
                case (let current?, let expected?): current.equals(expected)
                default: false
                }
            guard isExpected else { return .mismatch(old?.value) }
            entry = value.map { KeyValueShard.Entry(value: $0, deadline: lifetime.map { time + $0 }) }
            return .swapped
        }
        return result ?? .full
    }

    /// Deletes a key. False when there was none.
    @discardableResult
    public func delete(_ key: [UInt8]) -> Bool {
        change(key, at: now()) { old, entry in
            entry = nil
            return old != nil
        } ?? false
    }

    /// Seconds of a clock that only goes forward.
    public static func monotonicSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    private func shard(of key: [UInt8]) -> KeyValueShard {
        shards[Int(UInt(bitPattern: key.hashValue) % UInt(Self.shardCount))]
    }

    /// Changes one entry under its lock; `nil` when there is no room, even after freeing what may be freed at once.
    private func change<Result>(
        _ key: [UInt8], at time: Double, _ body: (KeyValueShard.Entry?, inout KeyValueShard.Entry?) -> Result
    ) -> Result? {
        let shard = shard(of: key)
        if let result = shard.change(key, now: time, used: used, limit: limit, body) { return result }
        var left = Self.largestSweep
        for other in shards where left > 0 {
            left -= other.freeExpired(now: time, atMost: left, used: used)
        }
        return shard.change(key, now: time, used: used, limit: limit, body)
    }
}

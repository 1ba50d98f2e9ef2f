// The values that scripts share, behind `kv`. They are spread over shards so that workers seldom wait for one lock; the
// bytes are counted over all of them.
//
// Runs on: any thread. Read next: KeyValueShard.swift.

import Glibc
import Synchronization

/// Plain values by key, shared by all workers, with an optional lifetime each and a limit on the bytes of all.
///
/// Every operation is atomic. An entry that has expired is absent at once, and its memory is freed by later writes:
/// eight entries by each, and up to 4,096 by one that finds no room.
public final class KeyValueStore: Sendable {
    /// The result of ``add(_:to:lifetime:)``.
    public enum Addition: Sendable, Equatable {
        case value(KeyValue)
        case notANumber
        case full
    }

    /// The result of ``swap(_:expected:for:lifetime:)``.
    public enum Swap: Sendable, Equatable {
        case swapped
        case mismatch(KeyValue?)
        case full
    }

    private static let shardCount = 16

    /// The most expired entries that a write frees if it finds no room, because it holds a lock and a worker waits. The
    /// next write frees more.
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

    /// Bytes in use, including expired entries that are not freed yet.
    public var bytesInUse: Int {
        used.load(ordering: .relaxed)
    }

    /// The number of entries, including expired ones that are not freed yet.
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

    /// Adds to a number; an absent one counts as 0. The lifetime applies to an entry that this call creates.
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

    /// Sets the key if its value is the expected one; `nil` stands for absence, as the expected and as the new value.
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

    /// Changes one entry under its lock; `nil` if there is no room, even after expired entries were freed.
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

/// A plain Lua value; `nil` is the absence of one.
public enum KeyValue: Sendable, Equatable {
    case boolean(Bool)
    case integer(Int64)
    case number(Double)
    case string([UInt8])

    /// The bytes of the value beyond the entry itself.
    var size: Int {
        if case .string(let bytes) = self { bytes.count } else { 0 }
    }

    /// Whether the values are equal by Lua's `==`: 3 and 3.0 are equal.
    func equals(_ other: KeyValue) -> Bool {
        switch (self, other) {
        case (.integer(let whole), .number(let number)), (.number(let number), .integer(let whole)):
            Int64(exactly: number) == whole
        default:
            self == other
        }
    }

    /// The sum as Lua computes it: integers wrap around, anything else is a float. `nil` if one of the two is not a
    /// number.
    func adding(_ amount: KeyValue) -> KeyValue? {
        switch (self, amount) {
        case (.integer(let a), .integer(let b)): .integer(a &+ b)
        case (.integer(let a), .number(let b)): .number(Double(a) + b)
        case (.number(let a), .integer(let b)): .number(a + Double(b))
        case (.number(let a), .number(let b)): .number(a + b)
        default: nil
        }
    }
}

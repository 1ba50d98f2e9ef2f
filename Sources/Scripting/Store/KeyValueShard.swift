// One shard of the store: a dictionary behind a lock, and a heap of the keys that expire, the earliest deadline first.
//
// Runs on: any thread.

import Synchronization

final class KeyValueShard: Sendable {
    struct Entry {
        var value: KeyValue
        var deadline: Double?
    }

    struct State {
        var entries: [[UInt8]: Entry] = [:]
        var expiry = ExpiryQueue()
        var mortal = 0
    }

    /// The bytes of an entry besides its key and value.
    static let overhead = 96

    /// How many expired entries one write frees.
    private static let sweep = 8

    private let state = Mutex(State())

    var count: Int {
        state.withLock { $0.entries.count }
    }

    func value(of key: [UInt8], now: Double) -> KeyValue? {
        state.withLock { state in
            guard let entry = state.entries[key], !entry.hasExpired(now) else { return nil }
            return entry.value
        }
    }

    /// Lets `body` replace the live entry of a key. Returns `nil` and changes nothing if there is no room for the new
    /// one.
    func change<Result>(
        _ key: [UInt8], now: Double, used: borrowing Atomic<Int>, limit: Int,
        _ body: (Entry?, inout Entry?) -> Result
    ) -> Result? {
        freeExpired(now: now, atMost: Self.sweep, used: used)
        return state.withLock { state in
            let stored = state.entries[key]
            let live = stored.flatMap { $0.hasExpired(now) ? nil : $0 }
            var entry = live
            let result = body(live, &entry)
            let growth = Self.size(key, entry) - Self.size(key, stored)
            let total = used.add(growth, ordering: .relaxed).newValue
            if growth > 0, total > limit {
                used.subtract(growth, ordering: .relaxed)
                return nil
            }
            state.replace(key, stored, by: entry)
            return result
        }
    }

    /// Frees expired entries, the longest expired first. Returns the number of deadlines that it checked.
    @discardableResult
    func freeExpired(now: Double, atMost count: Int, used: borrowing Atomic<Int>) -> Int {
        state.withLock { state in
            for seen in 0..<count {
                guard let key = state.expiry.next(before: now) else { return seen }
                guard let entry = state.entries[key], entry.hasExpired(now) else { continue }
                used.subtract(Self.size(key, entry), ordering: .relaxed)
                state.replace(key, entry, by: nil)
            }
            return count
        }
    }

    private static func size(_ key: [UInt8], _ entry: Entry?) -> Int {
        entry.map { key.count + $0.value.size + overhead } ?? 0
    }
}

extension KeyValueShard.Entry {
    func hasExpired(_ now: Double) -> Bool {
        deadline.map { $0 <= now } ?? false
    }
}

extension KeyValueShard.State {
    mutating func replace(_ key: [UInt8], _ old: KeyValueShard.Entry?, by new: KeyValueShard.Entry?) {
        entries[key] = new
        mortal += (new?.deadline == nil ? 0 : 1) - (old?.deadline == nil ? 0 : 1)
        if let deadline = new?.deadline, deadline != old?.deadline {
            expiry.add(key, at: deadline)
        }
        // Entries that are written again leave their old deadlines behind; this bounds their number by that of the
        // entries.
        if expiry.count > 2 * mortal + 64 {
            expiry = ExpiryQueue(entries.compactMap { key, entry in entry.deadline.map { (key, $0) } })
        }
    }
}

struct ExpiryQueue {
    private var heap: [(key: [UInt8], deadline: Double)] = []

    init() {}

    init(_ entries: [([UInt8], Double)]) {
        for (key, deadline) in entries { add(key, at: deadline) }
    }

    var count: Int { heap.count }

    mutating func add(_ key: [UInt8], at deadline: Double) {
        heap.append((key, deadline))
        var child = heap.count - 1
        while child > 0, heap[child].deadline < heap[(child - 1) / 2].deadline {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Removes and returns the key with the earliest deadline, if that is not after `time`.
    mutating func next(before time: Double) -> [UInt8]? {
        guard let first = heap.first, first.deadline <= time else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        sink()
        return first.key
    }

    private mutating func sink() {
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < heap.count else { return }
            let right = left + 1
            let child = right < heap.count && heap[right].deadline < heap[left].deadline ? right : left
            guard heap[child].deadline < heap[parent].deadline else { return }
            heap.swapAt(child, parent)
            parent = child
        }
    }
}

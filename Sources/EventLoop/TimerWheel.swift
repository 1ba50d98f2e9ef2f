// Timers in a hierarchical wheel: four levels of 64 buckets, one millisecond fine at the bottom, 4.6 hours wide at the
// top (later ones wait in the top level and are placed again). Adding, cancelling and firing cost the same for any
// number of timers.
//
// Allocates: when there are more timers than ever before; nodes are reused.

import DequeModule

/// The identity of a timer: its node and a use count, so that cancelling a fired timer does nothing.
public struct TimerID: Hashable, Sendable {
    let node: Int32
    let use: UInt32
}

/// Timers of one loop, in milliseconds of a clock that the loop reads once a turn.
struct TimerWheel {
    typealias Action = () -> Void

    private struct Node {
        var due: UInt64 = 0
        /// The running number of the timer: it orders timers that are due in the same millisecond.
        var number: UInt64 = 0
        var use: UInt32 = 0
        var bucket: Int32 = -1
        var previous: Int32 = -1
        var next: Int32 = -1
        var action: Action?
    }

    private static let levels = 4
    private static let width: UInt64 = 64

    private var nodes: [Node] = []
    private var free: [Int32] = []
    private var heads = [Int32](repeating: -1, count: levels * 64)
    /// One bit per bucket that holds a timer, one word per level: the next due time without a search.
    private var occupied = [UInt64](repeating: 0, count: levels)
    private var now: UInt64
    private var lastNumber: UInt64 = 0
    /// The timers of the bucket that expires.
    private var expiring: [(number: UInt64, node: Int32)] = []
    /// Timers that are due and have not fired, in order: they can still be cancelled.
    private var due: Deque<TimerID> = []
    /// Stands in place of a bucket's number for a timer that is in `due`.
    private static let isDue: Int32 = -2
    private(set) var count = 0

    init(now: UInt64) { self.now = now }

    /// Runs `action` in the first turn at or after `due`.
    mutating func add(due: UInt64, _ action: @escaping Action) -> TimerID {
        let index: Int32
        if let reused = free.popLast() {
            index = reused
        } else {
            index = Int32(nodes.count)
            nodes.append(Node())
        }
        lastNumber += 1
        nodes[Int(index)].due = max(due, now + 1)
        nodes[Int(index)].number = lastNumber
        nodes[Int(index)].action = action
        place(index)
        count += 1
        return TimerID(node: index, use: nodes[Int(index)].use)
    }

    /// Cancels the timer; false when it has fired or was cancelled before.
    @discardableResult
    mutating func cancel(_ id: TimerID) -> Bool {
        let index = Int(id.node)
        guard index < nodes.count, nodes[index].use == id.use, nodes[index].bucket != -1 else { return false }
        // Its ID stays in `due`, but no timer has that ID any more.
        if nodes[index].bucket >= 0 { unlink(id.node) }
        release(id.node)
        return true
    }

    /// The earliest millisecond at which `advance` may have something to do, nil without timers. Never later than the
    /// earliest timer; for a far one it may be earlier (its bucket's beginning).
    var nextDue: UInt64? {
        if !due.isEmpty { return now }
        return nextInWheel
    }

    private var nextInWheel: UInt64? {
        var earliest: UInt64?
        for level in 0..<Self.levels where occupied[level] != 0 {
            let shift = UInt64(level * 6)
            let position = (now >> shift) & 63
            let ahead = Self.rotateRight(occupied[level], by: position)
            var distance = UInt64(ahead.trailingZeroBitCount)
            // A bucket of an upper level at the present position holds timers of the next round.
            if distance == 0, level > 0 {
                let others = ahead & ~1
                distance = others == 0 ? 64 : UInt64(others.trailingZeroBitCount)
            }
            let due = level == 0 ? now + distance : ((now >> shift) + distance) << shift
            earliest = min(earliest ?? .max, due)
        }
        return earliest
    }

    /// Moves the clock to `time`. `popDue` then returns the timers that are due, in the order of their due times;
    /// timers with equal due times come in the order in which they were set.
    mutating func advance(to time: UInt64) {
        while now < time {
            guard let next = nextInWheel, next <= time else {
                now = time
                return
            }
            now = max(next, now + 1)
            cascade()
            expire(Int(now & 63))
        }
    }

    /// The action of the next timer that is due and was not cancelled; nil when there is none.
    mutating func popDue() -> Action? {
        while let id = due.popFirst() {
            guard nodes[Int(id.node)].use == id.use else { continue }
            let action = nodes[Int(id.node)].action
            release(id.node)
            if let action { return action }
        }
        return nil
    }

    private mutating func expire(_ bucket: Int) {
        while heads[bucket] >= 0 {
            let index = heads[bucket]
            expiring.append((nodes[Int(index)].number, index))
            unlink(index)
        }
        // A timer that came down from an upper level stands after younger ones that were placed here directly.
        if expiring.count > 1 { expiring.sort { $0.number < $1.number } }
        for (_, index) in expiring {
            nodes[Int(index)].bucket = Self.isDue
            due.append(TimerID(node: index, use: nodes[Int(index)].use))
        }
        expiring.removeAll(keepingCapacity: true)
    }

    /// Moves the timers of an upper level's new bucket down.
    private mutating func cascade() {
        var level = 1
        while level < Self.levels, now & ((1 << UInt64(level * 6)) - 1) == 0 {
            let bucket = level * 64 + Int((now >> UInt64(level * 6)) & 63)
            var moved: [Int32] = []
            while heads[bucket] >= 0 {
                moved.append(heads[bucket])
                unlink(heads[bucket])
            }
            for index in moved { place(index) }
            level += 1
        }
    }

    private mutating func place(_ index: Int32) {
        let due = nodes[Int(index)].due
        let delta = due - now
        var level = 0
        while level < Self.levels - 1, delta >= Self.width << UInt64(level * 6) { level += 1 }
        let farthest = now + (Self.width << UInt64((Self.levels - 1) * 6)) - 1
        let bucket = Int32(level * 64 + Int((min(due, farthest) >> UInt64(level * 6)) & 63))
        link(index, into: bucket)
    }

    private mutating func link(_ index: Int32, into bucket: Int32) {
        let head = heads[Int(bucket)]
        nodes[Int(index)].bucket = bucket
        if head < 0 {
            heads[Int(bucket)] = index
            nodes[Int(index)].previous = index
            nodes[Int(index)].next = index
        } else {
            let last = nodes[Int(head)].previous
            nodes[Int(index)].previous = last
            nodes[Int(index)].next = head
            nodes[Int(last)].next = index
            nodes[Int(head)].previous = index
        }
        occupied[Int(bucket) / 64] |= 1 << UInt64(bucket % 64)
    }

    private mutating func unlink(_ index: Int32) {
        let node = nodes[Int(index)]
        let bucket = Int(node.bucket)
        if node.next == index {
            heads[bucket] = -1
            occupied[bucket / 64] &= ~(1 << UInt64(bucket % 64))
        } else {
            nodes[Int(node.previous)].next = node.next
            nodes[Int(node.next)].previous = node.previous
            if heads[bucket] == index { heads[bucket] = node.next }
        }
        nodes[Int(index)].bucket = -1
    }

    private mutating func release(_ index: Int32) {
        nodes[Int(index)].action = nil
        nodes[Int(index)].bucket = -1
        nodes[Int(index)].use &+= 1
        free.append(index)
        count -= 1
    }

    private static func rotateRight(_ word: UInt64, by count: UInt64) -> UInt64 {
        count == 0 ? word : word >> count | word << (64 - count)
    }
}

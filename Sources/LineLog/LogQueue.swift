// Log entries on their way to the thread that writes them: a value without a lock or a clock. When it is full, entries are dropped
// until it is half empty again, so that the log has one gap with one line about it instead of many small ones.

import DequeModule

/// Lines that wait to be written, no more of them than the limit.
struct LogQueue {
    /// An item to be written.
    enum Item: Equatable {
        case line(String)
        /// The number of entries that were dropped here.
        case gap(UInt64)
    }

    /// Bytes that a waiting line takes besides its text, so that the limit bounds the number of lines, too.
    static let overhead = 64

    private let limit: Int
    private var items: Deque<Item> = []
    private var bytes = 0
    /// Entries dropped since the queue was full; 0 while it takes entries.
    private var gap: UInt64 = 0
    /// Entries dropped in all.
    private(set) var dropped: UInt64 = 0

    /// - Parameter limit: in bytes.
    init(limit: Int) { self.limit = limit }

    var isEmpty: Bool { items.isEmpty }

    /// Adds a line, or drops it; answers whether there is one item more to write: the line, or the gap that begins with it.
    mutating func offer(_ line: String) -> Bool {
        let cost = line.utf8.count + Self.overhead
        guard gap == 0, bytes + cost <= limit else {
            gap += 1
            dropped += 1
            defer { endGap() }
            return gap == 1
        }
        items.append(.line(line))
        bytes += cost
        return true
    }

    /// Takes the first item.
    mutating func take() -> Item? {
        guard let item = items.popFirst() else { return nil }
        if case .line(let line) = item { bytes -= line.utf8.count + Self.overhead }
        endGap()
        return item
    }

    /// Takes entries again where there is room for half the queue.
    private mutating func endGap() {
        guard gap > 0, bytes <= limit / 2 else { return }
        items.append(.gap(gap))
        gap = 0
    }
}

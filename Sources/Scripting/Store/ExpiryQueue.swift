// Which key expires next: a binary heap by deadline.

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

    /// Takes the key with the earliest deadline if that is not after `time`.
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

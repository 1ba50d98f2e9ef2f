// The entries that a full log queue takes and drops.

import SeededGenerator
import Testing

@testable import LineLog

@Suite("The log's queue", .bounded)
struct LogQueueTests {
    /// A line that takes 100 bytes of the queue.
    private static func line(_ number: Int) -> String {
        let digits = String(number)
        return digits + String(repeating: ".", count: 100 - LogQueue.overhead - digits.count)
    }

    private func takeAll(_ queue: inout LogQueue) -> [LogQueue.Item] {
        var items: [LogQueue.Item] = []
        while let item = queue.take() { items.append(item) }
        return items
    }

    @Test("lines come out in the order in which they went in")
    func order() {
        var queue = LogQueue(limit: 1_000)
        for number in 0..<10 { #expect(queue.offer(Self.line(number)) == true) }
        #expect(takeAll(&queue) == (0..<10).map { .line(Self.line($0)) })
        #expect(queue.dropped == 0)
    }

    @Test("a full queue drops until it is half empty and counts one gap")
    func gap() {
        var queue = LogQueue(limit: 1_000)
        for number in 0..<10 { #expect(queue.offer(Self.line(number)) == true) }
        // The word about the gap is to be written from the first dropped entry on.
        for number in 10..<17 { #expect(queue.offer(Self.line(number)) == (number == 10)) }
        for number in 0..<4 { #expect(queue.take() == .line(Self.line(number))) }
        #expect(queue.offer(Self.line(17)) == false)
        #expect(queue.take() == .line(Self.line(4)))
        #expect(queue.offer(Self.line(18)) == true)
        #expect(takeAll(&queue) == (5..<10).map { .line(Self.line($0)) } + [.gap(8), .line(Self.line(18))])
        #expect(queue.dropped == 8)
    }

    /// The lines after it are taken.
    @Test("a line larger than the queue is a gap")
    func tooLarge() {
        var queue = LogQueue(limit: 1_000)
        #expect(queue.offer(String(repeating: "x", count: 1_000)) == true)
        #expect(queue.offer(Self.line(1)) == true)
        #expect(takeAll(&queue) == [.gap(1), .line(Self.line(1))])
    }

    @Test("every item taken was counted when offered under every interleaving")
    func counted() {
        var random = SeededGenerator(seed: 13)
        for _ in 0..<200 {
            var queue = LogQueue(limit: 1_000)
            var (asked, taken) = (0, 0)
            for number in 0..<300 {
                if Bool.random(using: &random) {
                    if queue.offer(Self.line(number)) { asked += 1 }
                } else if queue.take() != nil {
                    taken += 1
                    #expect(taken <= asked)
                }
            }
            taken += takeAll(&queue).count
            #expect(taken == asked)
        }
    }
}

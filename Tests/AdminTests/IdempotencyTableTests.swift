// The table of idempotency keys beside a plain model: random keys, contents, answers, times and bounds.

import SeededGenerator
import Testing

@testable import Admin

@Suite("Admin: idempotency keys", .bounded)
struct IdempotencyTableTests {
    private typealias Table = IdempotencyTable<Int, Int>

    private static func digest(_ content: Int) -> PushDigest { PushDigest { $0.combine(content) } }

    /// The rules in the plainest form: a list in the order of answers.
    private struct Model {
        struct Entry {
            let key: Int
            let content: Int
            var answer: Int?
            var end: UInt64 = .max
            var waiters: [Int] = []
        }

        let maxCount: Int
        /// Oldest answer first; unanswered ones at any place.
        var entries: [Entry] = []
        var forgotten = 0

        mutating func expire(_ now: UInt64) { entries.removeAll { $0.end <= now } }

        mutating func shrink() {
            while entries.count > maxCount, let oldest = entries.firstIndex(where: { $0.answer != nil }) {
                entries.remove(at: oldest)
                forgotten += 1
            }
        }

        mutating func begin(_ key: Int, _ content: Int, _ waiter: Int, at now: UInt64) -> String {
            expire(now)
            if let place = entries.firstIndex(where: { $0.key == key }) {
                if entries[place].content != content { return "reused" }
                if let answer = entries[place].answer { return "known \(answer)" }
                entries[place].waiters.append(waiter)
                return "waits"
            }
            if entries.count(where: { $0.answer == nil }) >= maxCount { return "full" }
            entries.append(Entry(key: key, content: content))
            shrink()
            return "new"
        }

        mutating func finish(_ key: Int, _ answer: Int?, at now: UInt64) -> [Int] {
            guard let place = entries.firstIndex(where: { $0.key == key && $0.answer == nil }) else { return [] }
            var entry = entries.remove(at: place)
            let waiters = entry.waiters
            guard let answer else { return waiters }
            entry.answer = answer
            entry.end = now + 300_000
            entry.waiters = []
            entries.append(entry)
            shrink()
            return waiters
        }
    }

    private static func text(_ finding: Table.Finding) -> String {
        switch finding {
        case .new: "new"
        case .waits: "waits"
        case .known(let answer): "known \(answer)"
        case .reused: "reused"
        case .full: "full"
        }
    }

    @Test("a key is pushed once, and its repeats find what the model finds", arguments: 1...300)
    func model(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let maxCount = Int.random(in: 1...12, using: &random)
        var table = Table(maxCount: maxCount)
        var model = Model(maxCount: maxCount)
        var now: UInt64 = 1_000
        var open: [Int] = []
        var found: Set<String> = []
        for step in 0..<400 {
            if random.oneIn(4) { now += UInt64.random(in: 0...100_000, using: &random) }
            if !open.isEmpty, random.oneIn(3) {
                let key = open.remove(at: Int.random(in: 0..<open.count, using: &random))
                let answer = random.oneIn(4) ? nil : step
                let waiting = table.finish(Table.Key("\(key)", of: "a"), answer, bytes: 10, at: now)
                #expect(waiting == model.finish(key, answer, at: now), "seed \(seed), step \(step)")
            } else {
                let key = Int.random(in: 0..<16, using: &random)
                let content = random.oneIn(8) ? 1 : 0
                let finding = table.begin(Table.Key("\(key)", of: "a"), Self.digest(content), at: now, waiter: step)
                let text = Self.text(finding)
                #expect(text == model.begin(key, content, step, at: now), "seed \(seed), step \(step)")
                if text == "new" { open.append(key) }
                found.insert(String(text.prefix(5)))
            }
            #expect(table.count == model.entries.count && table.forgotten == model.forgotten)
        }
        #expect(found.isSuperset(of: ["new", "waits"]), "seed \(seed) finds only \(found)")
        // Nothing is left when all is answered and over.
        for key in open { _ = table.finish(Table.Key("\(key)", of: "a"), 0, bytes: 10, at: now) }
        _ = table.begin(Table.Key("last", of: "a"), Self.digest(0), at: now + 300_000, waiter: 0)
        _ = table.finish(Table.Key("last", of: "a"), nil, bytes: 0, at: now)
        #expect(table.count == 0 && table.bytes == 0)
    }

    @Test("the bytes of answers have a bound, and the oldest are forgotten first")
    func bytes() {
        var table = Table(maxBytes: 10_000)
        for key in 0..<100 {
            _ = table.begin(Table.Key("\(key)", of: ""), Self.digest(0), at: 0, waiter: 0)
            _ = table.finish(Table.Key("\(key)", of: ""), key, bytes: 800, at: 0)
            #expect(table.bytes <= 10_000)
        }
        #expect(table.count > 5 && table.forgotten == 100 - UInt64(table.count))
        guard case .known(99) = table.begin(Table.Key("99", of: ""), Self.digest(0), at: 0, waiter: 0) else {
            Issue.record("the newest is not there")
            return
        }
    }

    @Test("senders do not see each other's keys")
    func senders() {
        var table = Table()
        _ = table.begin(Table.Key("1", of: "a"), Self.digest(0), at: 0, waiter: 0)
        guard case .new = table.begin(Table.Key("1", of: "b"), Self.digest(1), at: 0, waiter: 0) else {
            Issue.record("b meets a's key")
            return
        }
    }
}

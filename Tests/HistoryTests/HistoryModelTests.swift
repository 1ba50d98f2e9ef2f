// Random lives of a store beside a plain list of what it should have: publications, keys, clears, reads, expiry and restarts.

import Glibc
import SeededGenerator
import Testing

@testable import History

@Suite(.bounded)
struct HistoryModelTests {
    /// A channel as it should be.
    private struct Model {
        var top = 0
        var epoch: UInt64?
        var kept: [(offset: Int, at: Int64, text: String)] = []

        /// What the limits leave.
        func visible(_ limits: HistoryLimits, now: Int64) -> [(offset: Int, at: Int64, text: String)] {
            kept.filter { $0.at > now - limits.age && $0.offset > top - limits.size }
        }
    }

    @Test("does what the model does", arguments: 1...6)
    func lives(seed: UInt64) throws {
        let (folder, clock) = (Folder(), ManualClock())
        var random = SeededGenerator(seed: seed)
        var models: [String: Model] = [:]
        var results: [UInt8: HistoryPosition] = [:]
        let sync = HistorySync.allCases.randomElement(using: &random)!
        var store = Store(folder.file, sync: sync, clock: clock)
        var done: [String: Int] = [:]
        // Each channel has one rule; ages differ.
        func limits(_ channel: Int) -> HistoryLimits {
            HistoryLimits(size: 3 + channel * 7, age: 500 << Int64(channel))
        }

        for step in 0..<1_500 {
            let number = Int.random(in: 0..<4, using: &random)
            let (channel, limits) = ("channel \(number)", limits(number))
            var model = models[channel, default: Model()]
            let action: String
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<55:
                action = "publish"
                let outcome = try store.publish(channel, "\(step)", limits)
                model.top += 1
                model.kept.append((model.top, clock.now, "\(step)"))
                let position = try #require(outcome.position)
                #expect(position.offset == UInt64(model.top), "step \(step)")
                #expect(position.epoch == model.epoch ?? position.epoch, "step \(step)")
                model.epoch = position.epoch
            case 55..<65:
                action = "publish with a key"
                let key = UInt8.random(in: 0..<20, using: &random)
                let identity = IdempotencyKey(key: [key], digest: [key], lifetime: .max / 4)
                let outcome = try store.publish(channel, "\(step)", limits, key: identity)
                if let before = results[key] {
                    #expect(outcome == .repeated(before), "step \(step)")
                } else {
                    model.top += 1
                    model.kept.append((model.top, clock.now, "\(step)"))
                    results[key] = outcome.position
                    model.epoch = outcome.position?.epoch
                    #expect(outcome.position?.offset == UInt64(model.top), "step \(step)")
                }
            case 65..<85:
                action = "read"
                try compare(
                    store, channel, model.visible(limits, now: clock.now), model, limits, &random,
                    "seed \(seed), step \(step)")
            case 85..<90:
                action = "clear"
                #expect(try store.clear(channel).position.offset == UInt64(model.top), "step \(step)")
                model.kept = []
            case 90..<95:
                action = "wait"
                clock.advance(Int64.random(in: 1...600, using: &random))
            case 95..<98:
                action = "sweep"
                try store.sweep()
            default:
                action = "restart"
                store.store.closeAndWait()
                store = Store(folder.file, sync: sync, clock: clock)
            }
            done[action, default: 0] += 1
            models[channel] = model
        }
        #expect(done.count == 7 && done.values.allSatisfy { $0 >= 10 }, "\(done)")
        // What does not count any longer does not lie there, either.
        clock.advance(1_000_000)
        try store.sweep()
        store.store.closeAndWait()
        let rows = try Connection(folder.file, .readOnly).first("SELECT count(*) FROM publication")
        #expect(rows == "0")
    }

    private func compare(
        _ store: Store, _ channel: String, _ visible: [(offset: Int, at: Int64, text: String)], _ model: Model,
        _ limits: HistoryLimits, _ random: inout SeededGenerator, _ place: String
    ) throws {
        let count = Int.random(in: 1...12, using: &random)
        let offset = Int.random(in: 0...(model.top + 2), using: &random)
        let inOrder = Bool.random(using: &random)
        let (start, wanted): (StoreQuery.Start, [String]) =
            switch Int.random(in: 0..<3, using: &random) {
            case 0: (.after(UInt64(offset)), visible.filter { $0.offset > offset }.prefix(count).map(\.text))
            case 1:
                (.before(UInt64(offset)), visible.filter { $0.offset < offset }.reversed().prefix(count).map(\.text))
            default: (.newest, visible.suffix(count).map(\.text))
            }
        let page = try store.read(channel, start, count: count, within: limits, inOrder: inOrder)
        #expect(page.texts == wanted, "\(place): \(start), \(count)")
        #expect(page.position.offset == UInt64(model.top), "\(place)")
        #expect(page.first == UInt64(visible.first?.offset ?? model.top + 1), "\(place)")
        if let epoch = model.epoch { #expect(page.position.epoch == epoch, "\(place)") }
    }

    @Test("does not let the file grow when publications come and go")
    func growth() throws {
        let folder = Folder()
        let limits = HistoryLimits(size: 100, age: 1_000_000)
        let text = String(repeating: "x", count: 1_000)
        // The log is emptied at the end of each life.
        var sizes: [Int] = []
        for _ in 0..<4 {
            let store = Store(folder.file)
            for number in 0..<2_000 { _ = try store.publish("channel \(number % 5)", text, limits) }
            store.store.closeAndWait()
            #expect(access(folder.file + "-wal", F_OK) != 0)
            sizes.append(FileIdentity(folder.file)!.bytes)
        }
        // 5 channels of 125 rows at most, and what one transaction adds.
        #expect(sizes.allSatisfy { $0 < 2_000_000 }, "\(sizes)")
        #expect(sizes[3] <= sizes[1], "\(sizes)")
    }
}

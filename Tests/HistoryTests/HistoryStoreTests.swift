// What the store promises while its file is well.

import EventLoop
import Testing

@testable import History

@Suite(.bounded)
struct HistoryStoreTests {
    @Test("counts each channel from 1 and keeps its epoch over a restart")
    func positions() throws {
        let folder = Folder()
        var store = Store(folder.file)
        let first = try #require(try store.publish("a", "one").position)
        #expect(first.offset == 1)
        #expect(try store.publish("b", "other").position?.offset == 1)
        store.store.closeAndWait()
        store = Store(folder.file)
        #expect(try store.publish("a", "two").position == HistoryPosition(offset: 2, epoch: first.epoch))
        let page = try store.read("a")
        #expect(page.texts == ["one", "two"])
        #expect(page.position.offset == 2 && page.first == 1 && page.isWhole)
        #expect(page.publications[0].note == [1, 2] && page.publications[0].flags == 7)
    }

    @Test("gives a channel without publications the epoch that its first one gets")
    func emptyChannel() throws {
        let folder = Folder()
        let store = Store(folder.file)
        let before = try store.read("new").position
        #expect(before.offset == 0)
        #expect(try store.publish("new", "x").position == HistoryPosition(offset: 1, epoch: before.epoch))
    }

    @Test("reads from any start, within count and bytes")
    func reading() throws {
        let folder = Folder()
        let store = Store(folder.file)
        for number in 1...10 { _ = try store.publish("a", "m\(number)") }
        for inOrder in [false, true] {
            #expect(try store.read("a", .after(7), inOrder: inOrder).texts == ["m8", "m9", "m10"])
            #expect(try store.read("a", .before(4), inOrder: inOrder).texts == ["m3", "m2", "m1"])
            #expect(try store.read("a", .before(.max), count: 2, inOrder: inOrder).texts == ["m10", "m9"])
            let newest = try store.read("a", .newest, count: 3, inOrder: inOrder)
            #expect(newest.texts == ["m8", "m9", "m10"] && !newest.isWhole)
            let cut = try store.read("a", .after(0), bytes: 9, inOrder: inOrder)
            #expect(cut.texts == ["m1", "m2"] && !cut.isWhole && cut.position.offset == 10)
            #expect(try store.read("a", .after(0), bytes: 1, inOrder: inOrder).texts == ["m1"])
            #expect(try store.read("a", .after(10), inOrder: inOrder).isWhole)
            #expect(try store.read("a", .after(99), inOrder: inOrder).texts == [])
        }
    }

    @Test("stores a publication once for one key and refuses another one")
    func idempotency() throws {
        let (folder, clock) = (Folder(), ManualClock())
        var store = Store(folder.file, clock: clock)
        let key = IdempotencyKey(key: [1], digest: [9], lifetime: 1_000)
        let first = try #require(try store.publish("a", "one", key: key).position)
        #expect(try store.publish("a", "one", key: key) == .repeated(first))
        store.store.closeAndWait()
        store = Store(folder.file, clock: clock)
        #expect(try store.publish("a", "one", key: key) == .repeated(first))
        let other = IdempotencyKey(key: [1], digest: [8], lifetime: 1_000)
        #expect(try store.publish("a", "two", key: other) == .failed(.keyReused))
        clock.advance(1_001)
        #expect(try store.publish("a", "one", key: key).position?.offset == 2)
        #expect(store.store.figures.repeated == 1)
    }

    @Test("clears a channel, whose offsets and epoch go on")
    func clearing() throws {
        let folder = Folder()
        var store = Store(folder.file)
        for number in 1...5 { _ = try store.publish("a", "m\(number)") }
        let cleared = try store.clear("a")
        #expect(cleared.count == 5)
        let position = cleared.position
        #expect(try store.clear("a") == ClearedChannel(position: position, count: 0))
        #expect(position.offset == 5)
        #expect(try store.read("a") == StoredPage(position: position, first: 6, publications: [], isWhole: true))
        try store.sweep()
        #expect(store.store.figures.trimmed == 5)
        store.store.closeAndWait()
        store = Store(folder.file)
        #expect(try store.publish("a", "m6").position == HistoryPosition(offset: 6, epoch: position.epoch))
        #expect(try store.read("a").texts == ["m6"])
    }

    @Test("keeps as many as the size says and lets go of older ones")
    func trimming() throws {
        let (folder, clock) = (Folder(), ManualClock())
        let store = Store(folder.file, clock: clock)
        let limits = HistoryLimits(size: 8, age: 1_000)
        for number in 1...50 { _ = try store.publish("a", "m\(number)", limits) }
        #expect(try store.read("a", within: limits).texts == (43...50).map { "m\($0)" })
        // At most a quarter more than the size lies in the file.
        #expect(store.store.figures.trimmed >= 50 - 10)
        clock.advance(600)
        _ = try store.publish("a", "young", limits)
        clock.advance(500)
        #expect(try store.read("a", within: limits).texts == ["young"])
        try store.sweep()
        #expect(store.store.figures.trimmed == 50)
        clock.advance(1_000)
        let position = try store.read("a", within: limits).position
        try store.sweep()
        #expect(store.store.figures.trimmed == 51)
        #expect(try store.read("a", within: limits).position == position)
    }

    @Test("forgets a position after its age, and then the epoch is another")
    func forgetting() throws {
        let (folder, clock) = (Folder(), ManualClock())
        let store = Store(folder.file, clock: clock) { $0.positionAge = 5_000 }
        let limits = HistoryLimits(size: 8, age: 1_000)
        let before = try #require(try store.publish("a", "x", limits).position)
        clock.advance(1_001)
        try store.sweep()
        clock.advance(4_999)
        try store.sweep()
        #expect(try store.read("a", within: limits).position == before)
        clock.advance(1)
        try store.sweep()
        let after = try #require(try store.publish("a", "y", limits).position)
        #expect(after.offset == 1 && after.epoch != before.epoch)
    }

    @Test("answers in the order of the offsets, with a page at its place among them")
    func order() throws {
        let folder = Folder()
        let store = Store(folder.file)
        let seen = Box<[String]>([])
        let done = Inbox<Int>()
        let query = StoreQuery(
            channel: Array("a".utf8), limits: HistoryLimits(size: 100_000, age: 1_000_000), start: .newest, count: 1,
            bytes: 100)
        for number in 1...20_000 {
            let draft = HistoryDraft(channel: query.channel, limits: query.limits, body: Array("\(number)".utf8))
            #expect(
                store.store.publish(draft) { outcome in
                    seen.value.append("\(outcome.position?.offset ?? 0)")
                    if number == 20_000 { done.post(1) }
                } == nil)
            guard number % 1_000 == 0 else { continue }
            #expect(
                store.store.read(query, inOrder: true) { page in
                    let newest = (try? page.get())?.position.offset ?? 0
                    // Everything until the page's position was answered before the page, nothing behind it was.
                    if Int(newest) != seen.value.count { done.post(-Int(newest)) }
                } == nil)
        }
        var answers: [Int] = []
        while !answers.contains(1) {
            let more = done.wait(atMost: 60_000)
            guard !more.isEmpty else { throw NoAnswer() }
            answers += more
        }
        #expect(answers == [1])
        #expect(seen.value == (1...20_000).map(String.init))
        store.store.closeAndWait()
        #expect(store.store.figures.commits < 10_000)
    }

    @Test("refuses what exceeds the queue, and everything after it was closed")
    func bounds() throws {
        let folder = Folder()
        let store = Store(folder.file) { $0.maxQueue = 2_000 }
        let draft = HistoryDraft(channel: [97], limits: Store.limits, body: [UInt8](repeating: 0, count: 3_000))
        #expect(store.store.publish(draft) { _ in } == .overloaded)
        #expect(store.store.figures.overloaded == 1)
        #expect(try store.publish("a", "small").position?.offset == 1)
        #expect(store.store.figures.waiting == 0 && store.store.figures.waitingBytes == 0)
        store.store.closeAndWait()
        #expect(store.store.state == .closed)
        #expect(throws: HistoryFailure.unavailable(why: "the history is closed")) { try store.publish("a", "late") }
    }

    @Test("hands the file over when it closes; publications wait that long")
    func handOver() throws {
        let folder = Folder()
        let old = Store(folder.file)
        let before = try #require(try old.publish("a", "one").position)
        let new = Store(folder.file)
        let outcomes = Inbox<HistoryOutcome>()
        let draft = HistoryDraft(channel: Array("a".utf8), limits: Store.limits, body: [50])
        #expect(new.store.publish(draft) { outcomes.post($0) } == nil)
        old.store.close()
        let outcome = try #require(outcomes.wait(atMost: 60_000).first)
        #expect(outcome.position == HistoryPosition(offset: 2, epoch: before.epoch))
        #expect(try new.read("a").texts == ["one", "2"])
    }

    @Test("keeps epochs after a kill, and after a power failure only under full", arguments: HistorySync.allCases)
    func generations(_ sync: HistorySync) throws {
        let folder = Folder()
        func life(_ boot: String, clean: Bool) throws -> UInt64 {
            let store = Store(folder.file, sync: sync) { $0.bootID = boot }
            let epoch = try #require(try store.publish("a", "x").position).epoch
            // A copy of an open file is what a kill leaves behind.
            if !clean { shell("cd \(folder.path) && mkdir -p kept && cp history.db history.db-wal kept/") }
            store.store.closeAndWait()
            if !clean { shell("cd \(folder.path) && mv kept/history.db kept/history.db-wal .") }
            return epoch
        }
        let first = try life("boot-1", clean: false)
        #expect(try life("boot-1", clean: true) == first)
        #expect(try life("boot-2", clean: false) == first)
        #expect(try (life("boot-3", clean: true) == first) == (sync == .full))
    }
}

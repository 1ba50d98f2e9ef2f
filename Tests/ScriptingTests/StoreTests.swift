import Dispatch
import Synchronization
import Testing

@testable import Scripting

@Suite("kv", .bounded)
struct StoreTests {
    /// A clock that stands still until it is moved.
    final class ManualClock: Sendable {
        private let time = Mutex(100.0)
        var now: Double { time.withLock { $0 } }
        func advance(_ seconds: Double) { time.withLock { $0 += seconds } }
    }

    let clock = ManualClock()

    private func store(limit: Int = 1 << 20) -> KeyValueStore {
        KeyValueStore(limit: limit) { [clock] in clock.now }
    }

    private func key(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("plain values come back as they were put")
    func values() throws {
        let stage = try Stage(options: ScriptOptions(store: store()))
        let shown = try stage.run(
            #"""
            for i, v in ipairs{true, false, 7, 7.5, "a\0b", ""} do assert(kv.set("k", v))
            show(kv.get("k") == v, math.type(kv.get("k"))) end show(kv.get("other"))
            """#
        )
        #expect(shown == ["true nil", "true nil", "true integer", "true float", "true nil", "true nil", "nil"])
    }

    @Test("nil deletes and delete says whether there was something")
    func delete() throws {
        let stage = try Stage(options: ScriptOptions(store: store()))
        #expect(
            try stage.run(
                "kv.set('a', 1) kv.set('a', nil) show(kv.get('a'), kv.delete('a')) kv.set('a', 1) show(kv.delete('a'))")
                == ["nil false", "true"])
    }

    @Test("incr counts from 0, adds the given number, and refuses other values")
    func incr() throws {
        let stage = try Stage(options: ScriptOptions(store: store()))
        #expect(
            try stage.run(
                """
                show(kv.incr('n'), kv.incr('n', 5), kv.incr('n', -0.5), kv.incr('m', math.maxinteger),
                kv.incr('m') == math.mininteger)
                """
            ) == ["1 6 5.5 9223372036854775807 true"])
        #expect(try stage.failure("kv.set('s', 'x') kv.incr('s')").message == "kv.incr: 's' does not hold a number")
        #expect(try stage.failure("kv.incr('n', 'x')").message == "kv.incr: expected a number, not string")
    }

    @Test("swap replaces the expected value, else returns the current one")
    func swap() throws {
        let stage = try Stage(options: ScriptOptions(store: store()))
        let shown = try stage.run(
            """
            show(kv.swap('k', nil, 'a')) show(kv.swap('k', nil, 'b')) show(kv.swap('k', 'a', 3))
            show(kv.swap('k', 3.0, nil)) show(kv.swap('k', 3, 4)) show(kv.get('k'))
            """)
        #expect(shown == ["true", "false a", "true", "true", "false nil", "nil"])
    }

    @Test(
        "values that cannot be kept raise",
        arguments: [
            ("kv.set('a', {})", "kv.set: a table cannot be kept; json.encode makes a string of it"),
            ("kv.set('a', print)", "kv.set: a function cannot be kept"),
            ("kv.set(nil, 1)", "kv.set: the key must be a string, not nil"),
            ("kv.set(('x'):rep(1025), 1)", "kv.set: the key has more than 1024 bytes"),
            ("kv.set('a', 1, 0)", "kv.set: a lifetime must be more than 0 seconds"),
            ("kv.get()", "kv.get: the key must be a string, not no value"),
        ])
    func mistakes(call: String, message: String) throws {
        #expect(try Stage().failure(call).message == message)
    }

    @Test("two engines share one store")
    func shared() throws {
        let options = ScriptOptions(store: store())
        _ = try Stage(options: options).run("kv.set('a', 'from the first')")
        #expect(try Stage(options: options).run("show(kv.get('a'))") == ["from the first"])
    }

    @Test("an entry is absent from its deadline on")
    func lifetime() {
        let store = store()
        #expect(store.set(key("a"), to: .integer(1), lifetime: 10))
        clock.advance(9.9)
        #expect(store.value(of: key("a")) == .integer(1))
        clock.advance(0.1)
        #expect(store.value(of: key("a")) == nil)
        #expect(store.add(.integer(1), to: key("a"), lifetime: 5) == .value(.integer(1)))
        clock.advance(3)
        #expect(store.add(.integer(1), to: key("a"), lifetime: 5) == .value(.integer(2)))
        clock.advance(2)
        #expect(store.swap(key("a"), expected: nil, for: .integer(9)) == .swapped)
    }

    @Test("a full store refuses to grow and says so to the script")
    func full() throws {
        let store = store(limit: 380)
        #expect(store.set(key("a"), to: .string([UInt8](repeating: 1, count: 200))))
        #expect(!store.set(key("b"), to: .string([UInt8](repeating: 1, count: 200))))
        #expect(store.bytesInUse == 1 + 200 + KeyValueShard.overhead)
        #expect(store.set(key("a"), to: .string([])))
        #expect(store.add(.integer(1), to: key("c")) == .value(.integer(1)))
        let stage = try Stage(options: ScriptOptions(store: store))
        #expect(
            try stage.run("show(kv.set('z', ('x'):rep(500))) show(kv.incr('d')) show(kv.incr('e'))") == [
                "false kv is full", "1", "nil kv is full",
            ])
    }

    @Test("deleting everything gives all bytes back")
    func accounting() {
        let store = store()
        var random = SplitMix(seed: 3)
        for _ in 0..<5_000 {
            let name = key("k\(random.next() % 50)")
            switch random.next() % 4 {
            case 0: _ = store.set(name, to: .string([UInt8](repeating: 0, count: Int(random.next() % 100))))
            case 1: _ = store.set(name, to: .integer(1), lifetime: Double(random.next() % 5) + 1)
            case 2: _ = store.add(.integer(1), to: name)
            default: store.delete(name)
            }
            clock.advance(0.01)
        }
        for i in 0..<50 { store.delete(key("k\(i)")) }
        #expect(store.bytesInUse == 0)
        #expect(store.count == 0)
    }

    @Test("entries that expire are freed by later writes, so nothing grows for ever")
    func sweep() {
        let store = store()
        for i in 0..<10_000 {
            #expect(store.set(key("visit:\(i)"), to: .integer(1), lifetime: 1))
            clock.advance(0.1)
        }
        #expect(store.count < 200)
    }

    @Test("a write that finds no room frees a bounded number of expired entries")
    func boundedSweep() {
        let size = KeyValueShard.overhead + 7
        let count = 20_000
        let store = store(limit: count * size)
        for i in 0..<count {
            #expect(store.set(key("\(1_000_000 + i)"), to: .boolean(true), lifetime: 1))
        }
        clock.advance(10)
        #expect(store.set(key("another"), to: .string([UInt8](repeating: 1, count: 4_000 * size))))
        #expect(store.count > count - KeyValueStore.largestSweep - 20)
        var writes = 0
        let large = KeyValue.string([UInt8](repeating: 1, count: 9_000 * size))
        while writes < 10, !store.set(key("large"), to: large) { writes += 1 }
        #expect(writes > 0 && writes < 10)
    }

    @Test("writing one key for ever leaves no trail of deadlines")
    func rewriting() {
        let shard = ExpiryTrail()
        #expect(shard.longest < 200)
    }

    private struct ExpiryTrail {
        var longest = 0
        init() {
            var state = KeyValueShard.State()
            for i in 0..<5_000 {
                let old = state.entries[[1]]
                state.replace([1], old, by: .init(value: .integer(1), deadline: Double(i + 1_000)))
                longest = max(longest, state.expiry.count)
            }
        }
    }

    @Test("the queue gives keys by deadline")
    func queue() {
        var queue = ExpiryQueue()
        var random = SplitMix(seed: 1)
        let deadlines = (0..<500).map { _ in Double(random.next() % 1_000) }
        for (index, deadline) in deadlines.enumerated() {
            queue.add([UInt8(index % 256), UInt8(index / 256)], at: deadline)
        }
        var taken: [Double] = []
        for time in stride(from: 0.0, through: 1_000, by: 1) {
            while let key = queue.next(before: time) { taken.append(deadlines[Int(key[0]) + 256 * Int(key[1])]) }
        }
        #expect(taken == deadlines.sorted())
        #expect(queue.count == 0)
    }

    @Test("additions of many threads are all counted")
    func concurrent() {
        let store = KeyValueStore()
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            for _ in 0..<1_000 { _ = store.add(.integer(1), to: [1]) }
        }
        #expect(store.value(of: [1]) == .integer(4_000))
    }
}

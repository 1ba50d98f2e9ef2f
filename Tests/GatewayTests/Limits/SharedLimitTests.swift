// Counts over all workers: rates and counts under many threads.

import EventLoop
import Settings
import Synchronization
import Testing

@testable import Gateway

@Suite("Limits that workers share", .bounded)
struct SharedLimitTests {
    @Test("a shared rate gives a second's worth at once, then one by one")
    func rate() {
        let rate = SharedRate(perSecond: 4)
        let start: UInt64 = 77_000_000_000
        for _ in 0..<4 { #expect(rate.take(at: start)) }
        #expect(!rate.take(at: start))
        #expect(!rate.take(at: start + 249_999_999))
        #expect(rate.take(at: start + 250_000_000))
        #expect(!rate.take(at: start + 250_000_000))
        let later = start + 3_600_000_000_000
        for _ in 0..<4 { #expect(rate.take(at: later)) }
        #expect(!rate.take(at: later))
    }

    @Test("a shared rate grants no more to many threads than to one")
    func rateOfThreads() {
        let rate = SharedRate(perSecond: 1_000)
        let granted = Atomic<Int>(0)
        withThreads(4) { _ in
            for step in 0..<2_000 as Range<UInt64> where rate.take(at: 1 << 40 + step) {
                granted.add(1, ordering: .relaxed)
            }
        }
        #expect(granted.load(ordering: .relaxed) == 1_000)
    }

    @Test("all holders of a key share its limit and give back their places")
    func counts() {
        let counts = SharedCounts<Int>(limit: 3)
        let granted = Atomic<Int>(0)
        withThreads(4) { thread in
            for round in 0..<1_000 {
                let key = round % 10
                if counts.take(key) {
                    granted.add(1, ordering: .relaxed)
                    if thread == 0 || round < 900 {
                        granted.subtract(1, ordering: .relaxed)
                        counts.release(key)
                    }
                }
            }
        }
        for key in 0..<10 {
            while counts.take(key) { granted.add(1, ordering: .relaxed) }
        }
        #expect(granted.load(ordering: .relaxed) == 30)
        for key in 0..<10 { for _ in 0..<3 { counts.release(key) } }
        #expect(counts.keyCount == 0)
    }

    @Test("giving back a place that nobody holds changes nothing")
    func releaseOfNothing() {
        let counts = SharedCounts<Int>(limit: 1)
        counts.release(1)
        #expect(counts.take(1))
        #expect(!counts.take(1))
    }

    /// A refusal costs neither a place nor a handshake.
    @Test("connections count up to the limit")
    func admission() {
        var limits = Configuration.Limits()
        (limits.connections, limits.handshakesPerSecond) = (2, 3)
        let gate = ConnectionLimits(limits)
        #expect(gate.admit(at: 1 << 40) == nil)
        #expect(gate.admit(at: 1 << 40) == nil)
        for _ in 0..<10 { #expect(gate.admit(at: 1 << 40) == .connections) }
        gate.leave()
        gate.memoryIsTight = true
        #expect(gate.admit(at: 1 << 40) == .memory)
        gate.memoryIsTight = false
        #expect(gate.admit(at: 1 << 40) == nil)
        gate.leave()
        for _ in 0..<10 { #expect(gate.admit(at: 1 << 40) == .rate) }
        #expect(gate.admit(at: 1 << 40 + 400_000_000) == nil)
    }

    /// A mapped address counts as IPv4.
    @Test("addresses count singly and IPv6 addresses by their /64 network")
    func owners() throws {
        let owner = { (host: String) in try #require(SocketAddress(host: host, port: 1)).owner }
        #expect(try owner("192.0.2.1") != owner("192.0.2.2"))
        #expect(try owner("192.0.2.1") == owner("::ffff:192.0.2.1"))
        #expect(try owner("2001:db8:1:2::1") == owner("2001:db8:1:2:ffff:ffff:ffff:ffff"))
        #expect(try owner("2001:db8:1:2::1") != owner("2001:db8:1:3::1"))
        #expect(try owner("192.0.2.1") != owner("2001:db8:1:2::1"))
    }

    private func withThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        let threads = (0..<count).map { number in LoopThread(name: "test-\(number)") { body(number) } }
        for thread in threads { thread.join() }
    }
}

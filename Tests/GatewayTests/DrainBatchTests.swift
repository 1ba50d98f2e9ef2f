// The arithmetic of a drain, without a server.

import Testing

@testable import Gateway

@Suite("Drain: batches and hints", .bounded)
struct DrainBatchTests {
    private func drain(window: UInt64 = 5_000, retry: UInt64 = 5_000) -> Drain {
        Drain(window: window, retry: retry, isHandover: false)
    }

    /// No batch has fewer than 10 connections.
    @Test("the batches of a worker's connections fit the window")
    func batches() {
        let rows: [(window: UInt64, count: Int, batch: Int)] = [
            (5_000, 0, 10), (5_000, 10, 10), (5_000, 500, 10), (5_000, 501, 11), (5_000, 15_000, 300),
            (1_000, 10_000, 1_000), (0, 7, 10), (0, 100_000, 100_000), (99, 100_000, 100_000), (200, 100, 50),
            (3_600_000, 1_000_000, 28),
        ]
        for row in rows {
            let batch = drain(window: row.window).batch(of: row.count)
            #expect(batch == row.batch, "\(row)")
            let ticks = (row.count + batch - 1) / batch
            #expect(ticks <= max(1, Int(row.window / Drain.tick)), "\(row)")
        }
    }

    /// From 0 to the configured time.
    @Test("spreads the hint 'restarting, retry in S.T s' evenly over its time")
    func hints() {
        #expect(drain().reason(random: 0) == "restarting, retry in 0.0 s")
        #expect(drain().reason(random: 24) == "restarting, retry in 2.4 s")
        #expect(drain(retry: 0).reason(random: 12_345) == "restarting, retry in 0.0 s")
        #expect(Set((0..<1000).map { drain().reason(random: $0) }).count == 51)
        #expect(drain(retry: 3_600_000).reason(random: 36_000) == "restarting, retry in 3600.0 s")
        #expect(Set((0..<100).map { drain().retryAfter(random: $0) }) == ["1", "2", "3", "4", "5", "6"])
        #expect(drain(retry: 0).retryAfter(random: 9) == "1")
    }
}

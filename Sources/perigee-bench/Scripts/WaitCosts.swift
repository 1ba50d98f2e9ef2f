// What it costs that a handler waits: time, and memory while it does.

import Scripting

struct WaitCosts {
    private static let source = "function onMessage(conn, m) server.sleep(1) conn:send(m) end"

    let rounds: Int

    func report() throws {
        print("a handler that waits")
        let bench = try BenchEngine(Self.source, message: "hello")
        try bench.open(0)
        let cost = try leastNanoseconds(rounds: rounds, count: 100_000) { _ in
            try bench.message()
            _ = bench.engine.resume(bench.host.tickets.removeLast(), with: .done)
        }
        reportLine("begin to wait and go on, ns", cost.short)

        let before = bench.engine.memoryInUse
        for _ in 0..<10_000 { try bench.message() }
        reportLine("memory of each of 10,000, bytes", "\((bench.engine.memoryInUse - before) / 10_000)")
        let start = threadNanoseconds()
        for ticket in bench.host.tickets { _ = bench.engine.resume(ticket, with: .done) }
        reportLine("go on, each of 10,000, ns", (Double(threadNanoseconds() - start) / 10_000).short)
    }
}

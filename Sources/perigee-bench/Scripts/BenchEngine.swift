// A script engine without a server, and the clock that measures it.
//
// Read next: ScriptCosts.swift.

import CLinux
import Scripting

/// The host of scripts that are measured: it counts sent messages and keeps the tickets of waits.
final class BenchHost: SilentHost {
    var sent = 0
    var tickets: [WaitTicket] = []

    func send(
        _ connection: ConnectionHandle, _ payload: UnsafeRawBufferPointer, binary: Bool
    ) -> SendResult {
        sent += 1
        return .sent
    }

    func sleep(_ ticket: WaitTicket, seconds: Double) { tickets.append(ticket) }
}

/// One script, `main`, and its events.
final class BenchEngine {
    let host = BenchHost()
    let engine: ScriptEngine
    private let script: ScriptID
    private let payload: [UInt8]

    init(_ source: String, message: String = "", isWatched: Bool = true, memory: Int = 0) throws {
        var options = ScriptOptions(memoryLimit: memory)
        if !isWatched { (options.budget, options.warning, options.stuckAfter) = (0, 0, 0) }
        if isWatched && memory > 0 { options.budget = 10 }
        engine = try ScriptEngine(host: host, options: options)
        try engine.prepare(ScriptBundle(version: 1, scripts: ["main": source])).get()
        engine.commit()
        guard let script = engine.script(forPath: "/") else { throw BenchError("there is no script") }
        self.script = script
        payload = Array(message.utf8)
    }

    func open(_ slot: UInt32) throws { try check(engine.onOpen(script, handle(slot))) }

    func message(_ slot: UInt32 = 0) throws {
        try check(payload.withUnsafeBytes { engine.onMessage(script, handle(slot), $0, binary: false) })
    }

    private func handle(_ slot: UInt32) -> ConnectionHandle { ConnectionHandle(slot: slot, generation: 1) }

    private func check(_ outcome: EventOutcome) throws {
        if case .failed(let error) = outcome { throw BenchError(error.description) }
    }
}

/// Nanoseconds of CPU time of one run of `body`: the mean of `count` runs, the least of all rounds.
func leastNanoseconds(rounds: Int, count: Int, _ body: (Int) throws -> Void) rethrows -> Double {
    var least = Double.infinity
    for _ in 0..<rounds {
        let start = clinux_thread_cpu_nanoseconds()
        for index in 0..<count { try body(index) }
        least = min(least, Double(clinux_thread_cpu_nanoseconds() - start) / Double(count))
    }
    return least
}

/// A line of the report.
func reportLine(_ name: String, _ figure: String) {
    print("  " + name + String(repeating: " ", count: max(1, 52 - name.count)) + figure)
}

extension Double {
    /// The number with one digit after the point.
    var short: String { "\((self * 10).rounded() / 10)" }
}

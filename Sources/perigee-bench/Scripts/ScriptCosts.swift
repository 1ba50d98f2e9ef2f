// `perigee-bench scripts`: the cost of a handler, without a server. Figures are CPU time of the one thread.
//
// Read next: BenchEngine.swift.

import ArgumentParser
import CLinux
import Scripting

struct Scripts: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure events, waits, the collector and reloads of scripts, without a server.",
        discussion: "Figures are CPU time of the one thread, the least of several rounds unless it says otherwise.")

    @Option(help: "How often each measurement is made.")
    var rounds = 7

    func validate() throws {
        guard rounds > 0 else { throw ValidationError("--rounds is at least 1") }
    }

    func run() throws {
        clinux_tune_malloc()
        try EventCosts(rounds: rounds).report()
        try CollectorPauses().report()
        try WaitCosts(rounds: rounds).report()
        try ReloadCosts(rounds: rounds).report()
    }
}

/// The cost of one event, with the watchdog and without.
private struct EventCosts {
    private static let realistic = """
        local scores = {}
        function onMessage(conn, message)
            local m = json.decode(message)
            if not m then return conn:close(1003, "JSON, please") end
            local data = conn.data
            data.count = (data.count or 0) + 1
            scores[m.user] = (scores[m.user] or 0) + m.points
            if m.text and #m.text > 0 then
                server.publish("room:" .. m.room, { user = m.user, text = m.text:gsub("%s+", " "), score = scores[m.user] })
            end
            conn:send({ ok = true, n = data.count })
        end
        """
    private static let json = #"{"user":"ada","room":"lobby","points":3,"text":"hello  there, how   are you?"}"#

    private static let object = """
        {"type":"message","room":"lobby","user":"ada","id":123456789,"text":"hello there, how are you doing today? \
        I am fine, thanks for asking","ok":true,"tags":["a","b","c"],"pos":{"x":12,"y":-7},"n":null}
        """

    private static let kinds: [(name: String, source: String, message: String)] = [
        ("empty handler", "function onMessage() end", "x"),
        (
            "send: echo of 64 bytes", "function onMessage(conn, m) conn:send(m) end",
            String(repeating: "x", count: 64)
        ),
        ("realistic: JSON, data, publish a table, send", realistic, json),
        (
            "json.decode of a 199-byte object",
            "function onMessage(conn, m) local v = json.decode(m) end", object
        ),
        (
            "json.encode of the same",
            "local v function onMessage(conn, m) v = v or json.decode(m) local s = json.encode(v) end", object
        ),
        ("a loop of 1,000 steps", "function onMessage() local n = 0 for i = 1, 1000 do n = n + i end end", "x"),
    ]

    let rounds: Int

    func report() throws {
        print("an event through Lua, ns (watchdog on / off)")
        for kind in Self.kinds {
            let on = try cost(kind.source, kind.message, isWatched: true)
            let off = try cost(kind.source, kind.message, isWatched: false)
            reportLine(kind.name, "\(on.short) / \(off.short)")
        }
    }

    private func cost(_ source: String, _ message: String, isWatched: Bool) throws -> Double {
        let bench = try BenchEngine(source, message: message, isWatched: isWatched)
        try bench.open(0)
        for _ in 0..<10_000 { try bench.message() }
        return try leastNanoseconds(rounds: rounds, count: 100_000) { _ in try bench.message() }
    }
}

/// The time for which the collector delays one event, at worst, while 25 MB live and messages make garbage.
private struct CollectorPauses {
    private static let source = """
        local live = {}
        function onOpen(conn)
            for i = 1, 100000 do live[i] = { id = i, name = "user" .. i, tags = { i, i + 1 } } end
        end
        function onMessage(conn, message)
            local list = {}
            for i = 1, 20 do list[i] = { n = i, text = message .. i } end
            conn.data.last = list
        end
        """

    func report() throws {
        let bench = try BenchEngine(Self.source, message: "hello", memory: 64 << 20)
        try bench.open(0)
        var times: [UInt64] = []
        times.reserveCapacity(400_000)
        for _ in 0..<400_000 {
            let start = clinux_thread_cpu_nanoseconds()
            try bench.message()
            times.append(clinux_thread_cpu_nanoseconds() - start)
        }
        times.sort()
        print("the collector under 400,000 messages, \(bench.engine.memoryInUse >> 20) MB in use, cap 64 MB")
        reportLine("an event, median, us", (Double(times[times.count / 2]) / 1e3).short)
        reportLine("an event, 99.9 %, us", (Double(times[times.count * 999 / 1000]) / 1e3).short)
        reportLine("an event, worst, us", (Double(times[times.count - 1]) / 1e3).short)
    }
}

/// The cost of a handler that waits: time, and memory while it waits.
private struct WaitCosts {
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
        let start = clinux_thread_cpu_nanoseconds()
        for ticket in bench.host.tickets { _ = bench.engine.resume(ticket, with: .done) }
        reportLine("go on, each of 10,000, ns", (Double(clinux_thread_cpu_nanoseconds() - start) / 10_000).short)
    }
}

/// The time for which a reload holds a worker with 10,000 connections whose data stays.
private struct ReloadCosts {
    private static let handlers = """
        local util = require "util"
        local state = server.state("rooms", 1, function() return { count = 0 } end)
        function onOpen(conn) conn.data.name = util.name(conn) conn.data.seen = {} end
        function onMessage(conn, m) conn.data.seen[#conn.data.seen % 10 + 1] = m conn:send(conn.data.name) end
        function onClose(conn) end
        """

    private static let other = "function onMessage(conn, m) conn:send(require('util').name(conn)) end"

    let rounds: Int

    func report() throws {
        let bench = try BenchEngine(Self.handlers.replacingRequire, message: "hello")
        for slot in 0..<UInt32(10_000) { try bench.open(slot) }
        var prepares: [Double] = []
        var commits: [Double] = []
        for version in 2..<UInt64(2 + rounds * 20) {
            let bundle = try ScriptBundle(
                version: version, scripts: ["main": Self.handlers, "other": Self.other],
                modules: ["util": "return { name = function(conn) return 'somebody' end }"])
            let start = clinux_thread_cpu_nanoseconds()
            try bench.engine.prepare(bundle).get()
            let prepared = clinux_thread_cpu_nanoseconds()
            bench.engine.commit()
            commits.append(Double(clinux_thread_cpu_nanoseconds() - prepared) / 1e3)
            prepares.append(Double(prepared - start) / 1e3)
            for slot in 0..<UInt32(1000) { try bench.message(slot) }
        }
        print("a reload of three files with 10,000 connections, us (median / worst of \(prepares.count))")
        reportLine("prepare", "\(prepares.sorted()[prepares.count / 2].short) / \((prepares.max() ?? 0).short)")
        reportLine("commit", "\(commits.sorted()[commits.count / 2].short) / \((commits.max() ?? 0).short)")
    }
}

extension String {
    /// The same script before it had a module.
    fileprivate var replacingRequire: String {
        "local util = { name = function() return 'nobody' end }\n"
            + split(separator: "\n").dropFirst().joined(separator: "\n")
    }
}

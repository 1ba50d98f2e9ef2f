// The turns that one client, timers, spawned functions, waits and questions leave to others: on one worker, an echo tells how
// many of the expensive events have run before it, so that no assertion is about time.

import JSON
import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("Fair turns", .bounded)
struct FairTurnTests {
    /// Work of which there is more than fits a turn.
    struct Flood: CustomStringConvertible, Sendable {
        let name: String
        /// The code that starts it.
        let start: String
        /// A part of its cause in the log.
        let cause: String
        var isEndless = false

        var description: String { name }
    }

    static let count = 100

    static let floods = [
        Flood(name: "timers", start: "for i = 1, 100 do server.after(0, work) end", cause: "main.lua:3"),
        Flood(name: "spawned functions", start: "for i = 1, 100 do server.spawn(work) end", cause: "main.lua:3"),
        Flood(
            name: "waits", start: "for i = 1, 100 do server.spawn(function() server.sleep(0.01) work() end) end",
            cause: "main.lua:8"),
        Flood(
            name: "requests", start: "for i = 1, 100 do server.spawn(function() http.get(config.url) work() end) end",
            cause: "main.lua:8"),
        Flood(
            name: "timers that start two timers",
            start: "local function f() work() server.after(0, f) server.after(0, f) end f()", cause: "main.lua",
            isEndless: true),
        Flood(
            name: "functions that spawn two functions",
            start: "local function f() work() server.spawn(f) server.spawn(f) end f()", cause: "main.lua",
            isEndless: true),
    ]

    /// "burn" works, "start" begins a flood, and everything else is echoed with the number of times it has worked.
    static func script(start: String = "") -> String {
        """
        local function burn() local stop = time.monotonic() + 0.01 while time.monotonic() < stop do end end
        local done = 0
        local function work() burn() done = done + 1 end
        local order = {}
        function onMessage(conn, m)
            if m == "burn" then order[#order + 1] = conn.path return work() end
            if m == "order" then return conn:send(table.concat(order, " ")) end
            if m == "start" then \(start) return conn:send("started") end
            conn:send(m .. " " .. done)
        end
        function onClose(conn) order[#order + 1] = "closed" end
        function onRequest(request) work() return 200, "ok" end
        """
    }

    private func withScript(
        start: String = "", configure: (inout Configuration) -> Void = { _ in }, _ body: (TestServer) throws -> Void
    ) throws {
        try withServer(
            scripts: ["main.lua": Self.script(start: start)],
            configure: {
                $0.workers = 1
                configure(&$0)
            }, body)
    }

    /// An echo; answers how often the script has worked before it.
    private func echo(_ client: WebSocketClient) throws -> Int {
        try client.send("echo")
        return try #require(Int(try client.receiveText(timeout: .seconds(20)).dropFirst("echo ".count)))
    }

    /// Echoes until the script has worked so often; answers the most that was worked between two answers.
    private func echoes(_ client: WebSocketClient, until goal: Int) throws -> Int {
        var worst = 0
        var last = try echo(client)
        let deadline = ContinuousClock.now + .seconds(60)
        while last < goal {
            try #require(ContinuousClock.now < deadline, "it worked \(last) times and no more")
            let now = try echo(client)
            worst = max(worst, now - last)
            last = now
        }
        return worst
    }

    private func burns(_ count: Int) -> [UInt8] { (0..<count).flatMap { _ in ClientFrame.text("burn").bytes } }

    /// They keep their order.
    @Test("300 expensive messages in one segment leave others their turns")
    func messages() throws {
        try withScript { server in
            let other = try server.connect()
            let attacker = try server.connect()
            try attacker.socket.send(burns(300) + ClientFrame.text("last").bytes)
            let worst = try echoes(other, until: 300)
            #expect(worst < 50, "\(worst)")
            #expect(try attacker.receiveText(timeout: .seconds(20)) == "last 300")
            let state = try server.nodeState()
            #expect(try #require(state["turnSlicesUsed"]?.int) >= 10)
            #expect(state["backlog"]?["connections"] == 0)
            #expect(state["backlog"]?["ageMilliseconds"] == 0)
            let page = try MetricsPage(try server.ask("GET", "/metrics").text)
            #expect(try #require(page.value("perigee_turn_slices_used_total")) >= 10)
        }
    }

    @Test("connections that use slices up share them in rotation")
    func rotation() throws {
        try withScript { server in
            let other = try server.connect()
            let attackers = try ["/a", "/b", "/c"].map { try server.connect($0) }
            for attacker in attackers { try attacker.socket.send(burns(Self.count)) }
            _ = try echoes(other, until: 3 * Self.count)
            try other.send("order")
            let order = try other.receiveText(timeout: .seconds(20)).split(separator: " ")
            #expect(order.count == 3 * Self.count)
            // All three have come when the first of them is half through.
            var counts: [Substring: Int] = [:]
            for path in order {
                counts[path, default: 0] += 1
                if counts.values.max() == 90 { break }
            }
            #expect(counts.count == 3)
            #expect(try #require(counts.values.min()) > 40, "\(counts)")
        }
    }

    @Test("a Close frame behind expensive messages is handled behind them")
    func closing() throws {
        try withScript { server in
            let other = try server.connect()
            let attacker = try server.connect("/a")
            try attacker.socket.send(burns(50) + ClientFrame.close(code: 1000).bytes)
            #expect(try attacker.expectClose().code == 1000)
            try other.send("order")
            let order = try other.receiveText(timeout: .seconds(20)).split(separator: " ")
            #expect(order == Array(repeating: "/a", count: 50) + ["closed"])
        }
    }

    /// It has one onClose.
    @Test("a client that disappears takes its remaining messages with it")
    func reset() throws {
        try withScript { server in
            let other = try server.connect()
            let attacker = try server.connect("/a")
            try attacker.socket.send(burns(200))
            try server.eventually("it has begun") { try echo(other) > 0 }
            try attacker.socket.reset()
            try server.eventually("it is gone") { try server.nodeState()["connections"] == 1 }
            try other.send("order")
            let order = try other.receiveText(timeout: .seconds(20)).split(separator: " ")
            #expect(order.filter { $0 == "closed" }.count == 1 && order.last == "closed")
        }
    }

    @Test("deferred work leaves turns to others, the admin API and a reload", arguments: floods)
    func flood(_ flood: Flood) throws {
        try withScript(
            start: flood.start,
            configure: { $0.scripts.settings = ScriptSettings([.init(name: "url", json: "\"http://127.0.0.1:1/\"")]) }
        ) { server in
            let other = try server.connect()
            try other.send("start")
            #expect(try other.receiveText() == "started")
            var ages: [Int] = []
            var most = 0
            var worst = 0
            var last = try echo(other)
            let deadline = ContinuousClock.now + .seconds(60)
            while last < Self.count {
                try #require(ContinuousClock.now < deadline, "it worked \(last) times and no more")
                let backlog = try server.nodeState()["backlog"]
                ages.append(backlog?["ageMilliseconds"]?.int ?? 0)
                most = max(most, ["timers", "spawned", "waits"].reduce(0) { $0 + (backlog?[$1]?.int ?? 0) })
                let now = try echo(other)
                worst = max(worst, now - last)
                last = now
            }
            #expect(worst < 50, "\(worst)")
            #expect(most > 0)
            #expect(try #require(ages.max()) > 0)
            let line = try server.log.wait(for: "scripts have more to do than their slice of a turn")
            #expect(line.contains("most of it at \(flood.cause)"), "\(line)")
            try server.write(Self.script(start: "conn:send('new')"), to: "main.lua")
            #expect(try server.reload().status == 200)
            let client = try server.connect()
            try client.send("start")
            #expect(try client.receiveText(timeout: .seconds(20)) == "new")
        }
    }

    /// Each has its onClose.
    @Test("many connections that break at once leave others their turns")
    func crowd() throws {
        let script = """
            local done = 0
            function onMessage(conn, m) conn:send(m .. " " .. done) end
            function onClose(conn)
                local stop = time.monotonic() + 0.01
                while time.monotonic() < stop do end
                done = done + 1
            end
            """
        try withServer(scripts: ["main.lua": script], configure: { $0.workers = 1 }) { server in
            let other = try server.connect()
            let crowd = try (0..<Self.count).map { _ in try server.connect() }
            for client in crowd { try client.socket.reset() }
            let worst = try echoes(other, until: crowd.count)
            #expect(worst < 50, "\(worst)")
            #expect(try echo(other) == crowd.count)
        }
    }

    /// All are answered.
    @Test("calls of backends leave others their turns")
    func questions() throws {
        try withScript { server in
            let other = try server.connect()
            let backends = try (0..<60).map { _ in try server.openAdmin() }
            for backend in backends {
                try backend.send("POST /v1/call/main HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n")
            }
            let worst = try echoes(other, until: backends.count)
            #expect(worst < 30, "\(worst)")
            for backend in backends {
                #expect(String(decoding: try backend.read(until: "\r\n"), as: UTF8.self).contains("200"))
            }
        }
    }

    /// Refusals are counted.
    @Test("timers, waits and spawned functions are bounded")
    func bounds() throws {
        let start = """
            for i = 1, 4 do conn:send(tostring((select(2, pcall(server.after, 60, work))))) end
            local function wait() server.sleep(60) end
            for i = 1, 3 do conn:send(tostring((select(2, pcall(server.spawn, wait))))) end
            """
        try withScript(
            start: start,
            configure: {
                $0.scripts.maxTimers = 3
                $0.scripts.maxSpawned = 2
                $0.scripts.maxWaiting = 1
            }
        ) { server in
            let client = try server.connect()
            try client.send("start")
            let answers = try (0..<8).map { _ in try client.receiveText() }
            #expect(answers[3] == "server.after: too many timers")
            #expect(answers[6] == "server.spawn: too many functions wait to be run")
            #expect(answers[7] == "started")
            try server.eventually("the second function has asked to wait") {
                try server.nodeState()["waitsRefused"] == 1
            }
            _ = try server.log.wait(for: "server.sleep: 1 handlers wait already")
            let state = try server.nodeState()
            #expect(state["timersRefused"] == 1 && state["spawnsRefused"] == 1)
            let page = try MetricsPage(try server.ask("GET", "/metrics").text)
            for kind in ["spawn", "timer", "wait"] {
                #expect(page.value("perigee_script_work_refused_total", ["kind": kind]) == 1)
            }
        }
    }

    @Test("scripts.turnSlice is how long a connection goes on in one turn")
    func sliceLength() throws {
        try withScript(configure: { $0.scripts.turnSlice = .milliseconds(400) }) { server in
            let other = try server.connect()
            let attackers = try ["/a", "/b"].map { try server.connect($0) }
            for attacker in attackers { try attacker.socket.send(burns(Self.count)) }
            _ = try echoes(other, until: 2 * Self.count)
            try other.send("order")
            let order = try other.receiveText(timeout: .seconds(20)).split(separator: " ")
            var longest = 0
            var run = 0
            for (index, path) in order.enumerated() {
                run = index > 0 && order[index - 1] == path ? run + 1 : 1
                longest = max(longest, run)
            }
            #expect(longest >= 20, "\(longest)")
        }
    }
}

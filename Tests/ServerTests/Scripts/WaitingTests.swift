// Handlers that wait, over the wire: order, backpressure, closing, timeouts. They wait for a key that another client sets, so
// that no test depends on the time.

import JSON
import PerigeeTestKit
import Server
import Settings
import Testing
import TimeBound

@Suite("waiting handlers", .bounded)
struct WaitingTests {
    /// "wait" waits for "go", which any client may send; everything is echoed with the result of its wait.
    private static let script = #"""
        local function waitForGo()
            while not kv.get("go") do
                local ok, why = server.sleep(0.005)
                if not ok then return why end
            end
            return "went"
        end
        local function note(text) kv.set("notes", (kv.get("notes") or "") .. text .. " ") end
        function onUpgrade(request)
            if request.path == "/slow" then waitForGo() return { name = request.query.name } end
            if request.path == "/no" then waitForGo() return false, 401, "no" end
            return true
        end
        function onOpen(conn)
            if conn.path == "/slow" then conn:send("opened " .. tostring(conn.data.name)) end
        end
        function onMessage(conn, m)
            if m == "go" then kv.set("go", true) return conn:send("gone") end
            if m == "notes" then return conn:send(kv.get("notes") or "") end
            if m == "id" then return conn:send(conn.id) end
            if m == "user" then conn:identify("ada") return conn:send("ok") end
            if m == "forever" then note(select(2, server.sleep(3600))) server.sleep(1) note("never") end
            if m == "spawn" then
                for i = 1, 2500 do server.spawn(function() waitForGo() kv.incr("spawned") end) end
                return conn:send("spawned")
            end
            if m == "count" then return conn:send(kv.get("spawned") or 0) end
            if m == "loop" then while true do end end
            if m:sub(1, 4) == "wait" then note(m .. ":" .. waitForGo()) end
            if m:sub(1, 4) == "note" then note(m) end
            conn:send(#m < 100 and m or #m)
        end
        function onClose(conn, code)
            note("close:" .. code)
            if conn.path == "/late" then
                waitForGo()
                note("late:" .. conn.user .. ":" .. conn.path .. ":" .. tostring(conn:send("x")))
            end
        end
        """#

    private func withScript(
        configure: (inout Configuration) -> Void = { _ in }, _ body: (TestServer) throws -> Void
    ) throws {
        try withServer(scripts: ["main.lua": Self.script], configure: configure, body)
    }

    /// Asks until the notes are the expected ones.
    private func expectNotes(_ expected: String, _ client: WebSocketClient) throws {
        var notes = ""
        let deadline = ContinuousClock.now + .seconds(20)
        repeat {
            try client.send("notes")
            notes = try client.receiveText()
        } while notes != expected && .now < deadline
        #expect(notes == expected)
    }

    /// Other connections go on meanwhile.
    @Test("the events of one connection run one at a time and in order")
    func order() throws {
        try withScript { server in
            let a = try server.connect("/")
            let b = try server.connect("/")
            for message in ["wait", "1", "2", "wait again", "3"] { try a.send(message) }
            for number in 0..<50 {
                try b.send("b\(number)")
                #expect(try b.receiveText() == "b\(number)")
            }
            try b.send("go")
            #expect(try b.receiveText() == "gone")
            for message in ["wait", "1", "2", "wait again", "3"] { #expect(try a.receiveText() == message) }
        }
    }

    /// None is lost.
    @Test("messages beyond the queue of a waiting handler stay in the socket")
    func backpressure() throws {
        try withScript(configure: { $0.workers = 1 }) { server in
            let a = try server.connect("/")
            let b = try server.connect("/")
            try a.send("id")
            let id = try a.receiveText()
            try a.send("wait")
            let big = String(repeating: "x", count: 16 << 10)
            let sender = BackgroundThread { [a = Unchecked(a)] in for _ in 0..<600 { try a.value.send(big) } }
            try repeatUntil("the queue is full") { try bytesIn(of: id, server) >= 256 << 10 }
            for _ in 0..<50 {
                try b.send("turn")
                _ = try b.receiveText()
            }
            #expect(try bytesIn(of: id, server) < (256 + 2 * 512 + 16) << 10)
            try b.send("go")
            #expect(try b.receiveText() == "gone")
            #expect(try a.receiveText() == "wait")
            for _ in 0..<600 { #expect(try a.receiveText() == "\(16 << 10)") }
            try sender.value()
        }
    }

    private func bytesIn(of id: String, _ server: TestServer) throws -> Int {
        let json = try HTTPClient.once("GET", "/v1/connections/\(id)", port: server.adminPort).json()
        return try #require(json["bytesIn"]?.int)
    }

    /// Messages behind it run, then onClose: each once, in order.
    @Test("a wait of a closed connection ends with \"closed\"")
    func clientCloses() throws {
        try withScript { server in
            let a = try server.connect("/")
            let b = try server.connect("/")
            for message in ["wait", "note1", "wait2", "note2"] { try a.send(message) }
            try a.close(code: 1000)
            try expectNotes("wait:closed note1 wait2:closed note2 close:1000 ", b)
        }
    }

    @Test("a second wait of a closed connection is cancelled before onClose")
    func cancelled() throws {
        try withScript { server in
            let a = try server.connect("/")
            let b = try server.connect("/")
            try a.send("forever")
            try a.send("note")
            try a.close(code: 1001)
            try expectNotes("closed note close:1001 ", b)
            #expect(try server.nodeState()["scriptErrors"] == 0)
        }
    }

    @Test("the connection keeps its identity while onClose waits")
    func closeWaits() throws {
        try withScript { server in
            let a = try server.connect("/late")
            let b = try server.connect("/")
            try a.send("user")
            #expect(try a.receiveText() == "ok")
            try a.close(code: 1000)
            try expectNotes("close:1000 ", b)
            try b.send("go")
            _ = try b.receiveText()
            try expectNotes("close:1000 late:ada:/late:false ", b)
        }
    }

    @Test("onUpgrade may wait before it accepts, refuses or loses the client")
    func upgrade() throws {
        try withScript { server in
            let b = try server.connect("/")
            let port = server.clientPort
            let accepted = BackgroundThread {
                let client = try WebSocketClient.connect(port: port, path: "/slow?name=Ada")
                return try client.receiveText()
            }
            let refused = BackgroundThread { try WebSocketClient.handshakeRefused(port: port, path: "/no").status }
            try server.eventually("2 handlers wait") { try server.nodeState()["handlersWaiting"] == 2 }
            try b.send("go")
            _ = try b.receiveText()
            #expect(try accepted.value() == "opened Ada")
            #expect(try refused.value() == 401)
        }
    }

    @Test("a client that gives up while onUpgrade waits leaves nothing behind")
    func upgradeAbandoned() throws {
        try withScript { server in
            let socket = try server.dial()
            try socket.send(server.upgrade("/slow"))
            try server.eventually("1 handlers wait") { try server.nodeState()["handlersWaiting"] == 1 }
            try socket.reset()
            try server.eventually("0 handlers wait") { try server.nodeState()["handlersWaiting"] == 0 }
            let b = try server.connect("/")
            try b.send("alive")
            #expect(try b.receiveText() == "alive")
        }
    }

    /// The connection goes on.
    @Test("a late wait ends with \"timeout\" and the next wait kills the handler")
    func timesOut() throws {
        try withScript(configure: { $0.scripts.eventTimeout = .milliseconds(100) }) { server in
            let a = try server.connect("/")
            try a.send("forever")
            try a.send("next")
            #expect(try a.receiveText() == "next")
            try expectNotes("timeout ", a)
            #expect(try server.nodeState()["handlersTimedOut"] == 1)
            #expect(server.log.lines.contains { $0.contains("its time was up") })
        }
    }

    /// Other connections of the worker are not harmed.
    @Test("a handler that never ends is killed and its connection stays")
    func killed() throws {
        try withScript(configure: {
            $0.workers = 1
            $0.scripts.budget = .milliseconds(20)
        }) { server in
            let a = try server.connect("/")
            let b = try server.connect("/")
            try a.send("id")
            let id = try a.receiveText()
            try a.send("loop")
            try a.send("after")
            try b.send("b")
            #expect(try a.receiveText() == "after")
            #expect(try b.receiveText() == "b")
            #expect(try server.nodeState()["handlersKilled"] == 1)
            let line = try #require(server.log.lines.first { $0.contains("more than its 20 ms of CPU") })
            #expect(line.contains("main.lua:") && line.contains(id))
        }
    }

    @Test("thousands of spawned functions wait at once and all go on")
    func spawned() throws {
        try withScript(configure: { $0.workers = 1 }) { server in
            let a = try server.connect("/")
            for _ in 0..<2 {
                try a.send("spawn")
                #expect(try a.receiveText() == "spawned")
            }
            try server.eventually("5000 handlers wait") { try server.nodeState()["handlersWaiting"] == 5000 }
            try a.send("go")
            _ = try a.receiveText()
            var count = ""
            repeat {
                try a.send("count")
                count = try a.receiveText()
            } while count != "5000"
            #expect(try server.nodeState()["handlersWaiting"] == 0)
        }
    }

    /// Queued messages begin in the new version.
    @Test("a waiting handler ends in its own version after a reload")
    func reload() throws {
        try withScript { server in
            let a = try server.connect("/")
            let b = try server.connect("/")
            try a.send("wait")
            try a.send("next")
            try server.eventually("1 handlers wait") { try server.nodeState()["handlersWaiting"] == 1 }
            try server.write(
                "function onMessage(conn, m) kv.set('go', true) conn:send('new ' .. m) end", to: "main.lua")
            #expect(try server.reload().status == 200)
            try b.send("x")
            #expect(try b.receiveText() == "new x")
            #expect(try a.receiveText() == "wait")
            #expect(try a.receiveText() == "new next")
        }
    }

    @Test("a server that stops ends all waits and every onClose runs")
    func stops() throws {
        var lines: [String] = []
        try withServer(
            scripts: [
                "main.lua": """
                function onMessage(conn) local _, why = server.sleep(3600) log.info("wait ended: " .. why) end
                function onClose() log.info("closed") local _, why = server.sleep(3600) log.info("late: " .. why) end
                """
            ],
            configure: { $0.timeouts.stop = .milliseconds(200) }
        ) { server in
            let a = try server.connect("/")
            try a.send("x")
            try server.eventually("1 handlers wait") { try server.nodeState()["handlersWaiting"] == 1 }
            server.server.stop()
            lines = server.log.lines
        }
        for text in ["wait ended: closed", "closed", "late: closed"] {
            #expect(lines.count { $0.contains(text) } >= 1, "\(text)")
        }
    }
}

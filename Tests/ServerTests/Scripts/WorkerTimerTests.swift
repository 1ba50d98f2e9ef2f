// Timers in the running server: effects of one timer on another that is due in the same turn.

import JSON
import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("Timers", .bounded)
struct WorkerTimerTests {
    private func messages(_ body: String) throws -> [String] {
        var messages: [String] = []
        let script = "function onOpen(conn)\n\(body)\nserver.after(0.3, function() conn:send('end') end)\nend"
        try withServer(scripts: ["main.lua": script], configure: { $0.workers = 1 }) { server in
            let client = try server.connect()
            repeat { messages.append(try client.receiveText()) } while messages.last != "end"
        }
        return messages
    }

    @Test("a timer that another of the same turn cancels does not fire any more")
    func cancelled() throws {
        let shown = try messages(
            """
            local other
            server.after(0.05, function() conn:send(tostring(server.cancel(other))) server.cancel("tick") end)
            other = server.after(0.05, function() conn:send("late") end)
            server.every("tick", 0.05, function() conn:send("tick") end)
            """)
        #expect(shown == ["true", "end"])
    }

    @Test("a timer that another restarts in the same turn keeps the new period")
    func startedAnew() throws {
        let shown = try messages(
            """
            server.after(0.05, function()
                server.every("tick", 60, function() conn:send("new") end)
                conn:send("started anew")
            end)
            server.every("tick", 0.05, function() conn:send("old") end)
            """)
        #expect(shown == ["started anew", "end"])
    }

    @Test("a repeating timer is not called again while its function waits")
    func busy() throws {
        let script = #"""
            server.every("work", 0.01, function()
                kv.incr("begun")
                while not kv.get("go") do server.sleep(0.005) end
                kv.incr("ended")
            end)
            server.every("tick", 0.01, function() kv.incr("ticks") end)
            function onMessage(conn, m)
                if m == "go" then kv.set("go", true) end
                conn:send { ticks = kv.get("ticks") or 0, begun = kv.get("begun") or 0, ended = kv.get("ended") or 0 }
            end
            """#
        try withServer(scripts: ["main.lua": script]) { server in
            let client = try server.connect()
            func ask(_ text: String = "") throws -> JSON {
                try client.send(text)
                return try client.receiveJSON()
            }
            try server.eventually("ten ticks") { try ask()["ticks"]?.int ?? 0 >= 10 }
            #expect(try ask()["begun"] == 1)
            _ = try ask("go")
            try server.eventually("three runs") { try ask()["ended"]?.int ?? 0 >= 3 }
        }
    }
}

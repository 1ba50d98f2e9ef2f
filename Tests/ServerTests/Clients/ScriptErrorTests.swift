// A mistake in a handler hurts one event: the connection goes on, and the log says where it was.

import JSON
import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("Script errors", .bounded)
struct ScriptErrorTests {
    private static let script = """
        local function stumble(what)
            local nothing
            return nothing.field
        end
        function onOpen(conn) if conn.query.open then stumble() end end
        function onMessage(conn, message)
            if message == "stumble" then stumble(message) end
            conn:send("got " .. message)
        end
        function onClose(conn) if conn.query.close then stumble() end end
        """

    /// With file, line, source, traceback and connection.
    @Test("an error in onMessage keeps the connection and is logged")
    func keeps() throws {
        try withServer(scripts: ["main.lua": Self.script]) { server in
            let client = try server.connect()
            try client.send("stumble")
            try client.send("hello")
            #expect(try client.receiveText() == "got hello")
            let entry = try server.log.wait(for: "main.lua:3: attempt to index a nil value (local 'nothing')")
            #expect(entry.hasPrefix("error") && entry.contains("3 |     return nothing.field"))
            #expect(entry.contains("main.lua:3: in upvalue 'stumble'") && entry.contains("main.lua:7: in function"))
            #expect(entry.contains("3 |     return nothing.field\n  |            ^^^^^^^"))
            #expect(entry.contains("version=1") && entry.contains("connection=") && entry.contains("handler=onMessage"))
            #expect(entry.contains("path=/"))
            #expect(try server.nodeState()["scriptErrors"] == 1)
        }
    }

    @Test("errors in onOpen keep the connection and errors in onClose are logged")
    func inOpenAndClose() throws {
        try withServer(scripts: ["main.lua": Self.script]) { server in
            let client = try server.connect("/?open&close")
            try client.send("hello")
            #expect(try client.receiveText() == "got hello")
            try client.close()
            #expect(try client.expectClose().code == 1000)
            #expect(try server.nodeState()["scriptErrors"] == 2)
        }
    }

    @Test("scripts.onError: close closes the connection with 1011 and is counted")
    func closes() throws {
        try withServer(scripts: ["main.lua": Self.script], configure: { $0.scripts.onError = .close }) { server in
            let other = try server.connect()
            let client = try server.connect()
            try client.send("stumble")
            #expect(try client.expectClose() == (1011, "script error"))
            #expect(try server.closes(for: "script_error") == 1)
            try other.send("hello")
            #expect(try other.receiveText() == "got hello")
        }
    }

    @Test("an error in a timer is logged and the timer goes on")
    func inTimer() throws {
        let script = """
            local fired = 0
            server.every("tick", 0.01, function()
                fired = fired + 1
                if fired == 1 then error("first tick") end
                server.broadcast("tick")
            end)
            """
        try withServer(scripts: ["main.lua": script]) { server in
            #expect(try server.connect().receiveText() == "tick")
            try server.log.wait(for: "main.lua:4: first tick")
        }
    }
}

// The closing handshake in both directions, as a client sees it.

import JSON
import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("Closing handshake", .bounded)
struct ClosingHandshakeTests {
    /// The connection ends.
    @Test(
        "a client's Close is answered with its own code",
        arguments: [1000, 1001, 1011, 3000, 4999] as [UInt16])
    func byClient(code: UInt16) throws {
        try withServer { server in
            let client = try server.connect("/echo")
            try client.close(code: code, reason: "done")
            #expect(try client.expectClose() == (code, ""))
        }
    }

    @Test("a client's Close without a code is answered without one")
    func byClientWithoutCode() throws {
        try withServer { server in
            let client = try server.connect("/echo")
            try client.close(code: nil)
            #expect(try client.expectClose() == (1005, ""))
        }
    }

    @Test("messages sent before the client's Close are delivered before the answer")
    func pending() throws {
        try withServer { server in
            let client = try server.connect("/echo")
            try client.socket.send(ClientFrame.text("last words").bytes + ClientFrame.close(code: 1000).bytes)
            #expect(try client.receiveText() == "last words")
            #expect(try client.expectClose().code == 1000)
        }
    }

    @Test("conn:close sends its code and reason and waits for the client's answer")
    func byScript() throws {
        let script = #"function onMessage(conn) conn:send("well then") conn:close(4001, "bye") end"#
        try withServer(scripts: ["main.lua": script]) { server in
            let client = try server.connect()
            try client.send("go")
            #expect(try client.receiveText() == "well then")
            #expect(try client.expectClose() == (4001, "bye"))
        }
    }

    @Test("conn:close without arguments closes with 1000")
    func byScriptWithoutCode() throws {
        try withServer(scripts: ["main.lua": "function onOpen(conn) conn:close() end"]) { server in
            let client = try server.connect()
            #expect(try client.expectClose() == (1000, ""))
        }
    }

    /// In onOpen and in onMessage. It is no script error.
    @Test("error{code = …, reason = …} closes with that code and reason")
    func byError() throws {
        let script = """
            function onOpen(conn) if conn.query.refuse then error { code = 4002, reason = "not you" } end end
            function onMessage(conn) error { code = 4003 } end
            """
        try withServer(scripts: ["main.lua": script]) { server in
            #expect(try server.connect("/?refuse").expectClose() == (4002, "not you"))
            let client = try server.connect()
            try client.send("go")
            #expect(try client.expectClose() == (4003, ""))
            #expect(try server.nodeState()["scriptErrors"] == 0)
        }
    }

    @Test("server.disconnect closes a connection of another worker")
    func fromAnotherWorker() throws {
        let script = #"""
            function onOpen(conn) conn:send(conn.id) end
            function onMessage(conn, id) server.disconnect(id, 4010, "elsewhere") end
            """#
        try withServer(scripts: ["main.lua": script]) { server in
            let clients = try server.connectOnEachWorker()
            _ = try clients[0].receiveText()
            try clients[0].send(try clients[1].receiveText())
            #expect(try clients[1].expectClose() == (4010, "elsewhere"))
            #expect(try clients[0].receiveAll() == [])
        }
    }

    @Test("messages that come after the server's Close do not reach the script")
    func afterClose() throws {
        let script = """
            function onMessage(conn, message)
                log.info("the script got " .. message)
                conn:close(4001, "enough")
            end
            """
        try withServer(scripts: ["main.lua": script]) { server in
            let client = try server.connect()
            try client.socket.send(ClientFrame.text("one").bytes + ClientFrame.text("two").bytes)
            #expect(try client.expectClose() == (4001, "enough"))
            #expect(server.log.lines.filter { $0.contains("the script got") }.count == 1)
        }
    }

    @Test("an unanswered Close cuts the client after timeouts.close and is counted")
    func unanswered() throws {
        try withServer(
            scripts: ["main.lua": "function onOpen(conn) conn:close(4001) end"],
            configure: { $0.timeouts.close = .milliseconds(50) }
        ) { server in
            let client = try server.connect()
            #expect(try client.receiveFrame().opcode == 8)
            #expect(try client.socket.awaitEnd() == [])
            #expect(try server.closes(for: "close_timeout") == 1)
        }
    }

    @Test("a stopping server closes every client on every worker with 1012")
    func atStop() throws {
        try withServer(configure: { $0.timeouts.close = .milliseconds(50) }) { server in
            let clients = try server.connectOnEachWorker("/echo")
            server.server.stop()
            for client in clients { #expect(try client.expectClose().code == 1012) }
            #expect(throws: ClientError.self) { try server.connect() }
        }
    }
}

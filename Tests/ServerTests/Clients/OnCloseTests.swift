// The arguments of onClose: the real code and reason, for every kind of end, exactly once.

import JSON
import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("onClose", .bounded)
struct OnCloseTests {
    /// A way for a connection to end, and the code and reason that the script must get.
    struct Ending: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let code: Int
        let reason: String
        let end: @Sendable (WebSocketClient) throws -> Void

        init(
            _ rule: String, _ code: Int, _ reason: String = "",
            _ end: @escaping @Sendable (WebSocketClient) throws -> Void
        ) {
            testDescription = rule
            (self.code, self.reason) = (code, reason)
            self.end = end
        }

        static let all: [Ending] = [
            Ending("the client closes with code and reason", 1000, "done ✓") { try $0.close(reason: "done ✓") },
            Ending("the client closes with a code of its own", 4321) { try $0.close(code: 4321) },
            Ending("the client closes without a code", 1005) { try $0.close(code: nil) },
            Ending("the client resets the connection", 1006) { try $0.socket.reset() },
            Ending("the client half-closes without a Close", 1006) { try $0.socket.shutdownWrite() },
            Ending("the client goes away without a Close", 1006) { $0.socket.close() },
            Ending("the client is cut off in the middle of a frame", 1006) {
                try $0.socket.send(Array(ClientFrame.text("half of it").bytes.prefix(9)))
                $0.socket.close()
            },
            Ending("the client breaks the protocol", 1002, "reserved bits must be zero") {
                try $0.sendFrame(rsv: 2, opcode: 1)
            },
            Ending("the client sends text that is none", 1007, "text must be UTF-8") {
                try $0.sendFrame(opcode: 1, payload: [0xFF])
            },
            Ending("the client's message is too big", 1009, "message too big") {
                try $0.send(String(repeating: "x", count: 101))
            },
            Ending("the client breaks the protocol and resets", 1002, "frames from clients must be masked") {
                try $0.sendFrame(opcode: 1, masked: false)
                _ = try $0.receive()
                try $0.socket.reset()
            },
            Ending("the script closes", 4001, "bye") {
                try $0.send("close")
                try $0.expectClose()
            },
            Ending("the script closes, and the client never answers", 4001, "bye") { try $0.send("close") },
            Ending("the script closes, and the client resets", 4001, "bye") {
                try $0.send("close")
                _ = try $0.receiveFrame()
                try $0.socket.reset()
            },
            Ending("script and client close at the same time", 4001, "bye") {
                try $0.socket.send(ClientFrame.text("close").bytes + ClientFrame.close(code: 1000).bytes)
            },
            Ending("the script closes twice", 4001, "bye") { try $0.send("close twice") },
            Ending("the script closes with an error", 4002, "no") { try $0.send("error") },
            Ending("the client closes twice", 1000, "first") {
                let first = ClientFrame.close(code: 1000, reason: "first")
                try $0.socket.send(first.bytes + ClientFrame.close(code: 1001, reason: "second").bytes)
            },
        ]
    }

    private static let scripts = [
        "main.lua": """
        function onMessage(conn, message)
            if message == "error" then error { code = 4002, reason = "no" } end
            conn:close(4001, "bye")
            if message == "close twice" then conn:close(4009, "again") end
        end
        function onClose(conn, code, reason)
            server.publish("ends", { id = conn.id, code = code, reason = reason, open = conn.isOpen })
            if conn.path == "/last" then server.publish("ends", "last") end
        end
        """,
        "watch.lua": #"function onOpen(conn) conn:subscribe("ends") end"#,
    ]

    @Test("is called exactly once, with the real code and reason", arguments: Ending.all)
    func ending(_ ending: Ending) throws {
        try withServer(scripts: Self.scripts, configure: Self.configure) { server in
            let watcher = try server.connect("/watch")
            let client = try server.connect()
            try ending.end(client)
            let told = try watcher.receiveJSON()
            #expect(told["code"]?.int == ending.code && told["reason"]?.string == ending.reason)
            #expect(told["open"] == false)
            client.socket.close()
            // The end of another connection is told after anything that this one could still cause.
            try server.connect("/last").socket.reset()
            #expect(try watcher.receiveJSON()["code"] == 1006)
            #expect(try watcher.receiveText() == "last")
        }
    }

    @Test("gets the code and reason of a close through the admin API")
    func byOperator() throws {
        try withServer(scripts: Self.scripts.merging(["ask.lua": Self.asking]) { $1 }) { server in
            let watcher = try server.connect("/watch")
            for (query, code, reason) in [("", 1000, "closed by operator"), ("?code=4444&reason=go", 4444, "go")] {
                let client = try server.connect("/ask")
                let path = "/v1/connections/\(try client.receiveText())\(query)"
                #expect(try HTTPClient.once("DELETE", path, port: server.adminPort).status == 200)
                let told = try watcher.receiveJSON()
                #expect(told["code"]?.int == code && told["reason"]?.string == reason)
            }
        }
    }

    private static let asking = """
        function onOpen(conn) conn:send(conn.id) end
        function onClose(conn, code, reason) server.publish("ends", { code = code, reason = reason }) end
        """

    @Test("gets 1012 once for each client at a stop and before onStop")
    func atStop() throws {
        let script = """
            function onClose(conn, code, reason) log.info("closed " .. code .. " " .. reason) end
            function onStop() log.info("stopped") end
            """
        try withServer(scripts: ["main.lua": script], configure: { $0.timeouts.close = .milliseconds(50) }) { server in
            let clients = try server.connectOnEachWorker()
            server.server.stop()
            for client in clients { _ = try client.socket.awaitEnd() }
            for worker in 0..<2 {
                #expect(Self.lastWords(of: worker, in: server.log) == ["closed 1012 restarting, retry in ", "stopped"])
            }
        }
    }

    /// The lines that the script on a worker logged about the end.
    private static func lastWords(of worker: Int, in log: RecordedLog) -> [String] {
        let words = ["closed 1012 restarting, retry in ", "stopped"]
        let lines = log.lines.filter { $0.contains("worker=\(worker)") }
        return lines.compactMap { line in words.first { line.contains($0) } }
    }

    /// Sending to the connection is refused as closed.
    @Test("may look at the connection, its data and its channels, and publish")
    func whatItMayDo() throws {
        let script = """
            function onOpen(conn)
                conn.data.name = "Ada"
                conn:subscribe("room")
            end
            function onClose(conn)
                local sent, why = conn:send("too late")
                local report = { name = conn.data.name, channels = conn:channels(), path = conn.path, why = why }
                server.publish("ends", report)
            end
            """
        let scripts = Self.scripts.merging(["main.lua": script]) { $1 }
        try withServer(scripts: scripts) { server in
            let watcher = try server.connect("/watch")
            try server.connect("/home").close()
            let expected: JSON = ["name": "Ada", "channels": ["room"], "path": "/home", "why": "closed"]
            #expect(try watcher.receiveJSON() == expected)
        }
    }

    private static func configure(_ configuration: inout Configuration) {
        configuration.websocket.maxMessage = 100
        configuration.timeouts.close = .milliseconds(200)
    }
}

// Pings of a running server: clients that answer stay; silent and idle clients are closed.

import JSON
import PerigeeTestKit
import Settings
import Testing
import TimeBound

@testable import Server

@Suite("Keepalive", .bounded)
struct KeepaliveTests {
    private static let scripts = [
        "main.lua": """
        function onOpen(conn) conn:send(conn.id) conn:subscribe("news") end
        local ending
        function onMessage(conn, message) conn:send(message == "who left?" and ending or message) end
        function onClose(conn, code, reason) ending = code .. " " .. reason end
        """,
        "watch.lua": #"function onOpen(conn) conn:subscribe("ends") end"#,
    ]

    private static func pings(_ interval: Int, _ patience: Duration) -> (inout Configuration) -> Void {
        {
            $0.keepalive.pingInterval = .milliseconds(interval)
            $0.keepalive.pongTimeout = patience
        }
    }

    private func awaitPing(_ client: WebSocketClient) throws -> [UInt8] {
        var ping: [UInt8]?
        try repeatUntil("a ping comes") {
            if case .ping(let payload) = try client.receive() { ping = payload }
            return ping != nil
        }
        return try #require(ping)
    }

    private func roundTrip(_ client: Client, _ server: TestServer) throws -> JSON? {
        // The client's earlier bytes are handled before its echo.
        try client.socket.send("sync")
        #expect(try client.socket.receiveText() == "sync")
        let one = try server.ask("GET", "/v1/connections/\(client.id)").json()["roundTripMs"]
        let list = try server.ask("GET", "/v1/connections").json()["items"]?.array?.first
        #expect(list?["roundTripMs"] == one)
        return one
    }

    /// Wrong and unsolicited pongs are ignored.
    @Test("the round-trip time is null until a ping is answered")
    func roundTripTime() throws {
        try withServer(scripts: Self.scripts, configure: Self.pings(2_000, .seconds(60))) { server in
            let client = try Client(server)
            client.socket.answersPings = false
            let payload = try awaitPing(client.socket)
            for wrong in [[], [1, 2, 3, 4], payload + payload, Array(payload.prefix(3))] {
                try client.socket.sendFrame(opcode: 10, payload: wrong)
            }
            #expect(try roundTrip(client, server) == .null)
            try client.socket.sendFrame(opcode: 10, payload: payload)
            let measured = try #require(try roundTrip(client, server)?.number)
            #expect(measured > 0 && measured < 10_000)
            #expect((try server.nodeState()["pingsSent"]?.int ?? 0) >= 1)
        }
    }

    /// Its script gets onClose.
    @Test("a client that is silent after a ping is closed with 1001 and counted")
    func silent() throws {
        let configure = { (configuration: inout Configuration) in
            Self.pings(300, .milliseconds(300))(&configuration)
            configuration.workers = 1
        }
        try withServer(scripts: Self.scripts, configure: configure) { server in
            let client = try Client(server)
            client.socket.answersPings = false
            _ = try awaitPing(client.socket)
            #expect(try client.socket.expectClose(skippingMessages: true) == (1001, "no answer to a ping"))
            let next = try Client(server)
            try next.socket.send("who left?")
            #expect(try next.socket.receiveText() == "1001 no answer to a ping")
            #expect(try server.closes(for: "pong_timeout") == 1)
            #expect(try server.closes(for: "close_timeout") == 0)
        }
    }

    @Test("any byte after a ping proves a client alive")
    func anythingIsAnAnswer() throws {
        try withServer(scripts: Self.scripts, configure: Self.pings(200, .seconds(60))) { server in
            let client = try Client(server)
            client.socket.answersPings = false
            for _ in 0..<3 {
                _ = try awaitPing(client.socket)
                try client.socket.send("here")
            }
        }
    }

    @Test("without keepalive.pingInterval nobody is pinged")
    func off() throws {
        try withServer(scripts: Self.scripts, configure: { $0.keepalive.pingInterval = .zero }) { quiet in
            let unasked = try Client(quiet)
            unasked.socket.answersPings = false
            try withServer(scripts: Self.scripts, configure: Self.pings(200, .seconds(60))) { server in
                let asked = try Client(server)
                asked.socket.answersPings = false
                for _ in 0..<3 {
                    _ = try awaitPing(asked.socket)
                    try asked.socket.send("here")
                }
            }
            #expect(try unasked.socket.receiveAll() == [])
            #expect(try quiet.nodeState()["pingsSent"] == 0)
        }
    }

    /// It is not closed for a missing pong.
    @Test("a client that does not read gets no ping behind its messages")
    func blocked() throws {
        let configure = { (configuration: inout Configuration) in
            Self.pings(200, .milliseconds(100))(&configuration)
            configuration.workers = 1
            configuration.websocket.maxQueue = 64 << 20
        }
        try withServer(scripts: Self.scripts, configure: configure) { server in
            let slow = try WebSocketClient.connect(port: server.clientPort, receiveBuffer: 4096)
            let id = try slow.receiveText()
            let news = String(repeating: "n", count: 512 << 10)
            for _ in 0..<16 { _ = try server.ask("POST", "/v1/channels/news/messages", body: news) }
            let state = { try server.ask("GET", "/v1/connections/\(id)").json() }
            let queued = try #require(try state()["queuedBytes"]?.int)
            #expect(queued > 0)
            let other = try server.connect("/watch")
            other.answersPings = false
            for _ in 0..<3 { try other.sendFrame(opcode: 10, payload: try awaitPing(other)) }
            #expect(try state()["queuedBytes"]?.int == queued)
            #expect(try state()["state"] == "open")
        }
    }

    /// A connection with messages stays.
    @Test("keepalive.idleTimeout closes a connection without messages with 1001")
    func idle() throws {
        let configure = { (configuration: inout Configuration) in
            Self.pings(100, .seconds(60))(&configuration)
            configuration.keepalive.idleTimeout = .milliseconds(800)
        }
        try withServer(scripts: Self.scripts, configure: configure) { server in
            let start = ContinuousClock.now
            let watcher = try server.connect("/watch")
            let talking = try Client(server)
            let idle = try Client(server)
            while try server.closes(for: "idle_timeout") == 0 {
                try talking.socket.send("hello")
                #expect(try talking.socket.receiveText() == "hello")
                #expect(try server.ask("POST", "/v1/channels/ends/messages", body: "x").json()["queued"] == 1)
            }
            #expect(ContinuousClock.now - start > .milliseconds(700))
            #expect(try idle.socket.expectClose() == (1001, "idle for too long"))
            #expect(try talking.socket.receiveAll() == [])
            #expect(try watcher.receiveAll().last != nil)
            #expect(try server.closes(for: "idle_timeout") == 1)
        }
    }
}

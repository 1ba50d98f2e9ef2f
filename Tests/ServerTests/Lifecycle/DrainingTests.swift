// A server that drains, seen by its clients and through the admin API.

import EventLoop
import Glibc
import JSON
import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("Draining", .bounded)
struct DrainingTests {
    private static let script = """
        function onOpen(conn) conn:subscribe("news") conn:send(conn.id) end
        function onMessage(conn, message) conn:send(message) end
        """

    /// The seconds that a close frame tells its client to wait; nil when it is worded otherwise.
    static func hint(_ close: (code: UInt16, reason: String)) -> Double? {
        let reason = close.reason
        guard close.code == 1012, reason.hasPrefix("restarting, retry in "), reason.hasSuffix(" s") else { return nil }
        return Double(reason.dropFirst("restarting, retry in ".count).dropLast(2))
    }

    /// Each has a hint of its own below drain.retry.
    @Test("many connections end spread over the window with 1012 and a hint")
    func spread() throws {
        try withServer(
            scripts: ["main.lua": Self.script],
            configure: {
                $0.drain.window = .milliseconds(1000)
                $0.drain.retry = .seconds(60)
                $0.workers = 1
            }
        ) { server in
            let clients = try (0..<200).map { _ in try Client(server) }
            let start = ContinuousClock.now
            let answer = try server.ask("POST", "/v1/drain")
            #expect(answer.status == 202)
            #expect(try answer.json() == ["drainMilliseconds": 1000])
            var hints: Set<Double> = []
            var ends: [Duration] = []
            for client in clients {
                let hint = try #require(Self.hint(try client.socket.expectClose()))
                ends.append(start.duration(to: .now))
                #expect((0...60).contains(hint))
                hints.insert(hint)
            }
            #expect(hints.count > 50)
            // 10 ticks of 20: the first at once, the last after nine more.
            #expect(ends[0] < .milliseconds(500), "\(ends[0])")
            #expect(ends[199] >= .milliseconds(850), "\(ends[199])")
            #expect(ends[100] >= .milliseconds(400), "\(ends[100])")
            #expect(server.server.wait() == .complete)
            #expect(start.duration(to: .now) < .seconds(4))
        }
    }

    /// The server ends with them.
    @Test("few connections end at once under any window")
    func few() throws {
        try withServer(scripts: ["main.lua": Self.script], configure: { $0.drain.window = .seconds(600) }) { server in
            let clients = try (0..<5).map { _ in try Client(server) }
            let start = ContinuousClock.now
            let stopping = LoopThread(name: "stopping") { [server = Unchecked(server)] in server.value.server.stop() }
            for client in clients { #expect(Self.hint(try client.socket.expectClose()) != nil) }
            stopping.join()
            #expect(start.duration(to: .now) < .seconds(5))
        }
    }

    /// The API says that it drains.
    @Test("a draining server pushes to its clients and accepts no new ones")
    func meanwhile() throws {
        try withServer(
            scripts: ["main.lua": Self.script],
            configure: { configuration in
                configuration.workers = 1
                // No client answers its close frame before the questions are asked.
                (configuration.timeouts.close, configuration.timeouts.stop) = (.seconds(60), .seconds(60))
            }
        ) { server in
            let kept = HTTPClient(port: server.adminPort, timeout: .seconds(20))
            #expect(try kept.request("GET", "/v1/node").json()["state"] == "running")
            // Ten end at once, and ten more every hundred milliseconds.
            let clients = try (0..<150).map { _ in try Client(server) }
            #expect(try server.ask("POST", "/v1/drain?over=1h").status == 202)
            let state = try kept.request("GET", "/v1/node")
            #expect(try state.json()["state"] == "draining")
            #expect(state.header("Connection") == "close")
            for (method, path) in [("POST", "/v1/drain"), ("POST", "/v1/scripts/reload"), ("POST", "/v1/upgrade")] {
                #expect(try server.ask(method, path).errorCode == "stopping")
            }
            // The worker ends the first one when it accepts no more clients.
            #expect(Self.hint(try clients[0].socket.expectClose()) != nil)
            #expect(throws: ClientError.self) { try server.connect() }
            for client in clients.dropFirst() { #expect(Self.hint(try client.socket.expectClose()) != nil) }
            #expect(server.server.wait() == .complete)
            #expect(throws: ClientError.self) { try server.ask("GET", "/v1/node") }
        }
    }

    @Test("a push during the drain counts and reaches the open connections only")
    func pushes() throws {
        try withServer(scripts: ["main.lua": Self.script], configure: { $0.workers = 1 }) { server in
            let count = 150
            let clients = try (0..<count).map { _ in try Client(server) }
            #expect(try server.ask("POST", "/v1/drain?over=1s").status == 202)
            try server.eventually("some are closed") { try server.nodeState()["connections"]?.int ?? 0 < count }
            let answer = try server.ask("POST", "/v1/channels/news/messages", body: "late").json()
            let queued = try #require(answer["queued"]?.int)
            // A connection that is closed in the very turn of the push may still have matched.
            #expect(queued < count && queued + (answer["dropped"]?.int ?? 0) == answer["matched"]?.int)
            var reached = 0
            for client in clients {
                let message = try client.socket.receive()
                guard message == .text("late") else {
                    guard case .close(1012, _) = message else { throw ClientError.unexpected("\(message)") }
                    continue
                }
                reached += 1
                #expect(Self.hint(try client.socket.expectClose()) != nil)
            }
            #expect(reached == queued)
        }
    }

    @Test("over is a time from 0ms to 1h")
    func parameter() throws {
        try withServer { server in
            for over in ["", "30", "never", "-1s", "2h", "1.5s"] {
                #expect(try server.ask("POST", "/v1/drain?over=\(over)").errorCode == "parameter_invalid", "\(over)")
            }
            let answer = try server.ask("POST", "/v1/drain?over=0ms")
            #expect(try answer.json() == ["drainMilliseconds": 0])
            #expect(server.server.wait() == .complete)
        }
    }

    @Test(
        "a slow client gets its queue from before the stop, then its close frame")
    func slowReader() throws {
        try withServer(
            scripts: ["main.lua": Self.script],
            configure: {
                $0.websocket.maxQueue = 64 << 20
                $0.timeouts.close = .milliseconds(100)
                $0.timeouts.stop = .seconds(20)
            }
        ) { server in
            let client = try WebSocketClient.connect(
                port: server.clientPort, timeout: .seconds(20), receiveBuffer: 4096)
            _ = try client.receiveText()
            let admin = HTTPClient(port: server.adminPort, timeout: .seconds(20))
            let body = String(repeating: "x", count: 1 << 20)
            for _ in 0..<12 {
                #expect(try admin.request("POST", "/v1/channels/news/messages", body: body).json()["queued"] == 1)
            }
            #expect(try server.ask("POST", "/v1/drain").status == 202)
            // Several times timeouts.close, in which a few bytes at a time are read.
            for _ in 0..<5 {
                _ = try client.socket.read(count: 1 << 20)
                _ = poll(nil, 0, 100)
            }
            let rest = try client.socket.awaitEnd()
            #expect(rest.count >= 12 * body.utf8.count - 5 << 20)
            #expect(String(decoding: rest.suffix(26), as: UTF8.self).contains("restarting, retry in "))
        }
    }
}

/// Hands a value to another thread, which has it to itself for that time.
struct Unchecked<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}

// Clients that read too slowly: the bound of their queues, the reaction beyond it, and the undisturbed others.

import JSON
import PerigeeTestKit
import Server
import Settings
import Testing
import TimeBound

@Suite("Slow consumers", .bounded)
struct SlowConsumerTests {
    private static let scripts = [
        "main.lua": """
        function onOpen(conn)
            conn:subscribe("news")
            conn:send(conn.id)
        end
        function onClose(conn, code, reason) server.publish("ends", code .. " " .. reason) end
        """,
        "watch.lua": #"function onOpen(conn) conn:subscribe("ends") end"#,
        "echo.lua": "function onMessage(conn, message, binary) conn:send(message, binary) end",
    ]

    /// The others get everything, in order.
    @Test("a client that stops reading is closed with 1013 at websocket.maxQueue")
    func stopsReading() throws {
        try withServer(
            scripts: Self.scripts,
            configure: { ($0.websocket.maxQueue, $0.timeouts.close) = (256 << 10, .seconds(60)) }
        ) { server in
            let others = try server.connectOnEachWorker()
            let watcher = try server.connect("/watch")
            let slow = try server.connect(receiveBuffer: 4096)
            for client in others { _ = try client.receiveText() }
            let news = try News(for: slow, on: server)
            try repeatUntil("a delivery is dropped") {
                guard try news.publish() == 0 else { return true }
                #expect(try news.queuedBytes() <= 256 << 10)
                for client in others { #expect(try client.receiveText() == news.last) }
                return false
            }
            for client in others { #expect(try client.receiveText() == news.last) }
            #expect(try watcher.receiveText() == "1013 slow consumer")
            #expect(try server.closes(for: "slow_consumer") == 1)
            #expect(try server.nodeState()["deliveriesDropped"] == 1)
            #expect(try news.publish() == 0, "it is in no channel any more")
            for number in 1..<news.count - 1 { #expect(try slow.receiveText() == News.text(number)) }
            #expect(try slow.expectClose() == (1013, "slow consumer"))
        }
    }

    /// Its queue is freed.
    @Test("one that never reads again is cut after timeouts.close")
    func neverReadsAgain() throws {
        try withServer(
            scripts: Self.scripts,
            configure: { ($0.websocket.maxQueue, $0.timeouts.close) = (64 << 10, .milliseconds(50)) }
        ) { server in
            let watcher = try server.connect("/watch")
            let slow = try server.connect(receiveBuffer: 4096)
            let news = try News(for: slow, on: server)
            try repeatUntil("a delivery is dropped") { try news.publish() != 0 }
            #expect(try watcher.receiveText() == "1013 slow consumer")
            try server.eventually("the slow client is gone") { try news.state() == nil }
            #expect(try server.closes(for: "close_timeout") == 1)
        }
    }

    @Test("a slow client that stays below websocket.maxQueue loses nothing")
    func staysBelow() throws {
        try withServer(scripts: Self.scripts) { server in
            let slow = try server.connect(receiveBuffer: 4096)
            let news = try News(for: slow, on: server)
            let lead = 50
            for number in 1...800 {
                #expect(try news.publish() == 0)
                if number > lead { #expect(try slow.receiveText() == News.text(number - lead)) }
            }
            for number in 801 - lead...800 { #expect(try slow.receiveText() == News.text(number)) }
            #expect(try server.closes(for: "slow_consumer") == 0)
        }
    }

    @Test("a client that never reads its echoes is a slow consumer, too")
    func echoes() throws {
        try withServer(
            scripts: Self.scripts,
            configure: { ($0.websocket.maxQueue, $0.timeouts.close) = (64 << 10, .milliseconds(50)) }
        ) { server in
            let greedy = try server.connect("/echo", receiveBuffer: 4096)
            let frame = ClientFrame.text(String(repeating: "x", count: 8192)).bytes
            try greedy.socket.sendUntilCutOff(frame)
            #expect(try server.closes(for: "slow_consumer") == 1)
        }
    }
}

/// Numbered pushes of 16 KiB to the channel "news", and a look at the one client that is slow to read them.
private final class News {
    private(set) var count = 0
    private let admin: HTTPClient
    private let id: String

    init(for slow: WebSocketClient, on server: TestServer) throws {
        admin = HTTPClient(port: server.adminPort, timeout: .seconds(10))
        id = try slow.receiveText()
    }

    static func text(_ number: Int) -> String { "\(number) " + String(repeating: "n", count: 16 << 10) }

    var last: String { Self.text(count) }

    /// Pushes the next one; answers for how many subscribers it was dropped. The kernel and a queue hold far less than
    /// the 48 MiB after which this gives up.
    func publish() throws -> Int? {
        count += 1
        guard count <= 3000 else { throw ClientError.unexpected("nothing is dropped") }
        return try admin.request("POST", "/v1/channels/news/messages", body: last).json()["dropped"]?.int
    }

    func queuedBytes() throws -> Int {
        try admin.request("GET", "/v1/connections/\(id)").json()["queuedBytes"]?.int ?? 0
    }

    /// The slow client's state, nil when it is gone.
    func state() throws -> String? { try admin.request("GET", "/v1/connections/\(id)").json()["state"]?.string }
}

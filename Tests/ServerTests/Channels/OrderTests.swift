// The order of publications: one publisher's messages to a channel arrive in order at every subscriber, on every worker.

import JSON
import PerigeeTestKit
import Server
import Testing

@Suite("Order of publications", .bounded)
struct OrderTests {
    private static let script = """
        function onOpen(conn) conn:subscribe("news") end
        function onMessage(conn, message) server.publish("news", message) end
        """

    @Test("every subscriber on every worker gets 1 to n in order without a gap")
    func onePublisher() throws {
        try withServer(scripts: ["main.lua": Self.script]) { server in
            let clients = try server.connectOnEachWorker() + server.connectOnEachWorker()
            let messages = (1...3000).map(String.init)
            try clients[0].socket.send(messages.flatMap { ClientFrame.text($0).bytes })
            for client in clients { #expect(try client.receiveTexts(messages.count) == messages) }
        }
    }

    @Test("publications of one handler run arrive in order too")
    func oneHandler() throws {
        let script = """
            function onOpen(conn) conn:subscribe("news") end
            function onMessage(conn, count) for i = 1, tonumber(count) do server.publish("news", tostring(i)) end end
            """
        try withServer(scripts: ["main.lua": script]) { server in
            let clients = try server.connectOnEachWorker()
            try clients[1].send("5000")
            let messages = (1...5000).map(String.init)
            for client in clients { #expect(try client.receiveTexts(messages.count) == messages) }
        }
    }

    /// Each publisher's own order holds within it.
    @Test("all subscribers see two workers' publications in the same order")
    func twoPublishers() throws {
        try withServer(scripts: ["main.lua": Self.script]) { server in
            let clients = try server.connectOnEachWorker()
            let count = 2000
            for (name, client) in zip("ab", clients) {
                try client.socket.send((1...count).flatMap { ClientFrame.text("\(name)\($0)").bytes })
            }
            let seen = try clients.map { try $0.receiveTexts(2 * count) }
            #expect(seen[0] == seen[1])
            for name in "ab" {
                let own = seen[0].filter { $0.first == name }
                #expect(own == (1...count).map { "\(name)\($0)" })
            }
        }
    }

    @Test("a publication while handling a push queues behind the pushes before it")
    func answerToPush() throws {
        let script = """
            local count = 0
            function onOpen(conn) conn:subscribe("news") end
            function onMessage(conn, message)
                count = count + 1
                server.publish("news", message .. "/" .. count)
            end
            """
        try withServer(scripts: ["main.lua": script]) { server in
            let clients = try server.connectOnEachWorker()
            let admin = HTTPClient(port: server.adminPort)
            var expected: [String] = []
            for number in 1...50 {
                try clients[0].send("said")
                #expect(try clients[0].receiveText() == "said/\(number)")
                let answer = try admin.request("POST", "/v1/channels/news/messages", body: "pushed \(number)").json()
                #expect(answer["matched"] == 2 && answer["queued"] == 2)
                #expect(try clients[0].receiveText() == "pushed \(number)")
                expected += ["said/\(number)", "pushed \(number)"]
            }
            #expect(try clients[1].receiveTexts(100) == expected)
        }
    }
}

extension WebSocketClient {
    /// The next `count` messages, which must be texts.
    fileprivate func receiveTexts(_ count: Int) throws -> [String] { try (0..<count).map { _ in try receiveText() } }
}

// Node, workers and admin API with a broker that orders publications later, on a thread of its own, or refuses them.

import Gateway
import JSON
import PerigeeTestKit
import PubSub
import Server
import Testing

@Suite("A broker that answers later", .bounded)
struct PublishLaterTests {
    /// A client is told its id. "leave" leaves the channel; everything else is published there.
    private static let script = """
        function onOpen(conn) conn:subscribe("news") conn:send(conn.id) end
        function onMessage(conn, message)
            if message == "leave" then
                conn:unsubscribe("news")
                return conn:send("left")
            end
            local accepted, detail = server.publish("news", message)
            if not accepted or detail then conn:send(tostring(accepted) .. " " .. tostring(detail)) end
        end
        """
    private static let path = "/v1/channels/news/messages"

    @Test("a push is answered with its position and the counts of all workers")
    func push() throws {
        try withLateBroker(Self.script) { server, _ in
            let clients = try Client.onBothWorkers(server)
            for number in 1...20 {
                let answer = try server.ask("POST", Self.path, body: "m\(number)").json()
                #expect(answer["offset"]?.int == number && answer["epoch"]?.string == Base32.text(of: LateBroker.epoch))
                #expect(answer["matched"]?.int == clients.count && answer["queued"]?.int == clients.count)
                #expect(answer["complete"] == nil)
            }
            for client in clients {
                for number in 1...20 { #expect(try client.socket.receiveText() == "m\(number)") }
            }
            let nobody = try server.ask("POST", "/v1/channels/empty/messages", body: "x").json()
            #expect(nobody["matched"] == 0 && nobody["offset"] == 1)
        }
    }

    @Test("pushes of a connection to a channel keep order while answers wait")
    func pipeline() throws {
        try withLateBroker(Self.script) { server, broker in
            let clients = try Client.onBothWorkers(server)
            broker.behave { $0.holdsAnswers = true }
            let socket = try server.openAdmin()
            for number in 1...10 { try socket.send(Self.request("m\(number)")) }
            for client in clients {
                for number in 1...10 { #expect(try client.socket.receiveText() == "m\(number)") }
            }
            // Every worker's counts are before its answer to this question in the admin thread's inbox.
            #expect(try server.ask("GET", "/v1/node").status == 200)
            broker.release()
            for number in 1...10 {
                let answer = try HTTPResponse.read(from: socket, method: "POST").json()
                #expect(answer["offset"]?.int == number && answer["matched"]?.int == clients.count)
                #expect(answer["complete"] == nil)
            }
        }
    }

    @Test("a push to several channels is answered once the broker ordered them all")
    func several() throws {
        try withLateBroker(Self.script) { server, broker in
            let client = try Client(server)
            let body = #"{"channels":["news","sport"],"data":"x"}"#
            let answer = try server.ask("POST", "/v1/publish", body: body)
            let results = try #require(try answer.json()["results"]?.array)
            #expect(results.map { $0["channel"]?.string } == ["news", "sport"])
            #expect(results.map { $0["matched"]?.int } == [1, 0])
            #expect(try client.socket.receiveText() == "x")
            broker.behave { $0.failure = .unavailable(retryAfter: 3) }
            let failed = try server.ask("POST", "/v1/publish", body: body)
            #expect(failed.status == 503 && failed.errorCode == "broker_unavailable")
            #expect(failed.header("Retry-After") == "3")
        }
    }

    @Test("a refusal, at once or later, is 503 with Retry-After and reaches nobody", arguments: [true, false])
    func refusals(isAtOnce: Bool) throws {
        try withLateBroker(Self.script) { server, broker in
            let client = try Client(server)
            let rows: [(failure: BrokerFailure, code: String, retryAfter: String)] = [
                (.overloaded, "overloaded", "1"), (.unavailable(retryAfter: 7), "broker_unavailable", "7"),
            ]
            for row in rows {
                broker.behave {
                    $0.refusal = isAtOnce ? row.failure : nil
                    $0.failure = isAtOnce ? nil : row.failure
                }
                let refused = try server.ask("POST", Self.path, body: "x")
                #expect(refused.status == 503 && refused.errorCode == row.code, "\(refused)")
                #expect(refused.header("Retry-After") == row.retryAfter)
            }
            broker.behave { ($0.refusal, $0.failure) = (nil, nil) }
            #expect(try server.ask("POST", Self.path, body: "taken").json()["offset"] == 1)
            #expect(try client.socket.receiveAll() == [.text("taken")])
        }
    }

    @Test("a broker that breaks its promise costs the answer, not the server")
    func silence() throws {
        try withLateBroker(Self.script) { server, broker in
            let client = try Client(server)
            broker.behave { ($0.holdsAnswers, $0.patience) = (true, 50) }
            let unknown = try server.ask("POST", Self.path, body: "x")
            #expect(unknown.status == 503 && unknown.errorCode == "publish_outcome_unknown", "\(unknown)")
            #expect(try client.socket.receiveText() == "x")
            broker.behave { ($0.holdsAnswers, $0.patience) = (false, 60_000) }
            broker.release()
            #expect(try server.ask("POST", Self.path, body: "y").json()["offset"] == 2)
        }
    }

    @Test("the stop of the server waits no longer for a broker than for a worker")
    func stop() throws {
        try withLateBroker(Self.script) { server, broker in
            let client = try Client(server)
            broker.behave { $0.holdsAnswers = true }
            let socket = try server.openAdmin()
            try socket.send(Self.request("x"))
            #expect(try client.socket.receiveText() == "x")
            server.server.stop()
            let answer = try HTTPResponse.read(from: socket, method: "POST")
            #expect(answer.status == 503 && answer.errorCode == "publish_outcome_unknown", "\(answer)")
        }
    }

    /// The publishing worker, too.
    @Test("all workers get the publications of scripts in one order")
    func scripts() throws {
        try withLateBroker(Self.script) { server, _ in
            let clients = try Client.onBothWorkers(server)
            let publishers = [clients[0], try #require(clients.first { $0.worker != clients[0].worker })]
            let count = 300
            for (name, client) in zip("ab", publishers) {
                try client.socket.socket.send((1...count).flatMap { ClientFrame.text("\(name)\($0)").bytes })
            }
            let seen = try publishers.map { client in
                try (0..<2 * count).map { _ in try client.socket.receiveText() }
            }
            #expect(seen[0] == seen[1])
            for name in "ab" { #expect(seen[0].filter { $0.first == name } == (1...count).map { "\(name)\($0)" }) }
        }
    }

    @Test("a script gets the reason of a refusal")
    func scriptRefused() throws {
        try withLateBroker(Self.script) { server, broker in
            let client = try Client(server)
            for (failure, told) in [
                (BrokerFailure.overloaded, "false overloaded"), (.unavailable(retryAfter: 1), "false unavailable"),
            ] {
                broker.behave { $0.refusal = failure }
                try client.socket.send("x")
                #expect(try client.socket.receiveText() == told)
            }
        }
    }

    /// Not of the first and last of each worker.
    @Test("the broker hears of a node's first and last subscriber")
    func subscriptions() throws {
        try withLateBroker(Self.script) { server, broker in
            let clients = try Client.onBothWorkers(server)
            #expect(broker.calls == ["+news"])
            for (index, client) in clients.enumerated() {
                #expect(broker.calls == ["+news"], "\(index) have left")
                try client.socket.send("leave")
                #expect(try client.socket.receiveText() == "left")
            }
            #expect(broker.calls == ["+news", "-news"])
            #expect(try server.ask("POST", Self.path, body: "x").json()["matched"] == 0)
        }
    }

    private static func request(_ body: String) -> String {
        "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }
}

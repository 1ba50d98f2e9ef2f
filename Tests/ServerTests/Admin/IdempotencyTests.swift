// Idempotency-Key on pushes over real sockets: the first answer comes again, and the message is pushed once.

import JSON
import PerigeeTestKit
import Settings
import Testing

@testable import Server

@Suite("Admin: pushes with a key", .bounded)
struct IdempotencyTests {
    private static let path = "/v1/channels/news/messages"

    private static func push(
        _ server: TestServer, _ key: String?, _ body: String, path: String = path, headers: [(String, String)] = []
    ) throws -> HTTPResponse {
        try server.ask("POST", path, headers: headers + (key.map { [("Idempotency-Key", $0)] } ?? []), body: body)
    }

    @Test("a repeat gets the first answer, and the message is pushed once")
    func repeats() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let client = try Client(server, "/?channel=news")
            let paths = [
                Self.path, "/v1/messages", "/v1/messages?path=/", "/v1/connections/\(client.id)/messages",
                "/v1/users/nobody/messages",
            ]
            for (index, path) in paths.enumerated() {
                let first = try Self.push(server, "key \(index)", "a", path: path)
                #expect(first.status == 200)
                #expect(try first.json()["repeated"] == nil)
                for _ in 0..<3 {
                    let again = try Self.push(server, "key \(index)", "a", path: path)
                    #expect(again.status == 200 && again.header("Content-Type") == "application/json")
                    #expect(again.text == first.text.dropLast() + #","repeated":true}"#, "\(path)")
                    #expect(again.header("X-Request-Id") != first.header("X-Request-Id"))
                }
            }
            #expect(try client.socket.receiveAll().count == 4)
            let node = try server.ask("GET", "/v1/node").json()
            #expect(node["idempotencyKeys"] == 5 && node["idempotencyRepeats"] == 15)
            #expect(try #require(node["idempotencyBytes"]?.int) > 500 && node["idempotencyForgotten"] == 0)
        }
    }

    /// Path, fields and body of a push that is not the first one, which puts the text "a" into "news".
    private static let others: [(path: String, headers: [(String, String)], body: String)] = [
        (path, [], "b"), (path, [], ""), (path, [("Content-Type", "application/octet-stream")], "a"),
        (path + "?key=k", [], "a"), ("/v1/channels/new/messages", [], "a"), ("/v1/messages", [], "a"),
        ("/v1/messages?path=news", [], "a"), ("/v1/users/news/messages", [], "a"),
        ("/v1/publish", [], #"{"channels":["news"],"data":"a"}"#),
        ("/v1/publish", [], #"{"channel":"news","data":"b"}"#),
        ("/v1/publish", [], #"{"channel":"news","dataBase64":"YQ=="}"#),
    ]

    @Test("a key that comes with another message is answered 409")
    func reused() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let client = try Client(server, "/?channel=news")
            let first = try Self.push(server, "k", "a")
            #expect(first.status == 200)
            for (path, headers, body) in Self.others {
                let answer = try Self.push(server, "k", body, path: path, headers: headers)
                #expect(answer.status == 409 && answer.errorCode == "idempotency_key_reused", "\(path) \(body)")
            }
            // The same push in another form, and other keys.
            let same = try Self.push(server, "k", #"{"channel":"news","data":"a"}"#, path: "/v1/publish")
            #expect(same.status == 200 && same.text == first.text.dropLast() + #","repeated":true}"#)
            #expect(try client.socket.receiveAll() == [.text("a")])
            for key in ["K", "k2", nil] {
                let answer = try Self.push(server, key, "a")
                #expect(try answer.json()["repeated"] == nil)
            }
            #expect(try client.socket.receiveAll().count == 3)
        }
    }

    @Test("a repeat that comes before the first is answered waits for it")
    func waits() throws {
        let script =
            AdminScripts.main
                + """

                function onPublish(publication)
                    while not kv.get("go") do server.sleep(0.005) end
                end
                function onMessage(conn) kv.set("go", true) end
                """
        try withServer(scripts: ["main.lua": script]) { server in
            let client = try Client(server, "/?channel=news")
            let sockets = try (0..<3).map { _ in try server.openAdmin() }
            for socket in sockets {
                try socket.send(
                    "POST \(Self.path) HTTP/1.1\r\nHost: 127.0.0.1\r\nIdempotency-Key: k\r\nContent-Length: 1\r\n\r\na")
            }
            // All three are with the server before the first is answered.
            try server.eventually("two repeats wait") { try server.nodeState()["idempotencyRepeats"] == 2 }
            try client.socket.send("go")
            let answers = try sockets.map { try HTTPResponse.read(from: $0, method: "POST").json() }
            #expect(Set(answers.map { $0["id"]?.string }).count == 1 && answers[0]["id"] != nil)
            #expect(answers.count { $0["repeated"] == true } == 2)
            #expect(try client.socket.receiveAll() == [.text("a")])
        }
    }

    @Test("an answer that says that nothing was pushed leaves the key free")
    func failures() throws {
        let script =
            AdminScripts.main
                + """

                function onPublish(publication)
                    if not kv.get("go") then return false, "not yet" end
                end
                function onMessage(conn) kv.set("go", true) conn:send("gone") end
                """
        try withServer(scripts: ["main.lua": script]) { server in
            let client = try Client(server, "/?channel=news")
            for _ in 0..<2 {
                let refused = try Self.push(server, "k", "a")
                #expect(refused.status == 422 && !refused.text.contains("repeated"))
            }
            let nobody = try Self.push(server, "n", "a", path: "/v1/connections/nobody/messages")
            #expect(nobody.status == 404)
            try client.socket.send("go")
            #expect(try client.socket.receiveText() == "gone")
            let pushed = try Self.push(server, "k", "a")
            #expect(pushed.status == 200 && !pushed.text.contains("repeated"))
            let again = try Self.push(server, "k", "a")
            #expect(again.status == 200 && again.text.contains(#""repeated":true"#))
            #expect(try client.socket.receiveAll() == [.text("a")])
            #expect(try server.ask("GET", "/v1/node").json()["idempotencyKeys"] == 1)
        }
    }

    @Test("a key that is empty, too long, or there twice is answered 400")
    func invalid() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let client = try Client(server, "/?channel=news")
            let inside = #"{"channel":"news","data":"a","idempotencyKey":"k"}"#
            let answers = [
                try Self.push(server, "", "a"), try Self.push(server, String(repeating: "k", count: 129), "a"),
                try Self.push(server, "k", "a", headers: [("Idempotency-Key", "k")]),
                try Self.push(server, "k", inside, path: "/v1/publish"),
            ]
            for answer in answers {
                #expect(answer.status == 400 && answer.errorCode == "idempotency_key_invalid", "\(answer.text)")
            }
            #expect(try Self.push(server, String(repeating: "k", count: 128), "a").status == 200)
            #expect(try client.socket.receiveAll() == [.text("a")])
        }
    }

    @Test("each key of the API has idempotency keys of its own")
    func senders() throws {
        let keys = ["shop", "blog"].map { AdminKey(name: $0, key: "\($0)-0123456789abcdef", scopes: [.publish]) }
        try withServer(scripts: AdminScripts.both, configure: { $0.admin.keys = keys }) { server in
            let client = try Client(server, "/?channel=news")
            for (key, body) in zip(keys, ["a", "b"]) {
                for isRepeated in [false, true] {
                    let answer = try Self.push(server, "k", body, headers: [("X-API-Key", key.key)])
                    #expect(answer.status == 200 && answer.text.contains("repeated") == isRepeated)
                }
            }
            #expect(try client.socket.receiveAll() == [.text("a"), .text("b")])
        }
    }
}

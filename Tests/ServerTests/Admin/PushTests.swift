// Pushes whose body is the message, to channels, connections, users and everybody, over two workers.

import JSON
import PerigeeTestKit
import Settings
import Testing

@testable import Gateway
@testable import Server

@Suite("Admin: pushing", .bounded)
struct PushTests {
    @Test("curl -d hello reaches the subscribers as a text message")
    func curl() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let client = try Client(server, "/?channel=news")
            let url = "\(server.server.adminURL)/v1/channels/news/messages"
            let result = try ChildProcess.shell("curl -sS -d 'hello' \(url)", timeout: .seconds(20))
            #expect(result.status == 0 && result.errors == "")
            let answer = try JSON(parsing: result.output)
            #expect(answer["channel"] == "news" && answer["matched"] == 1 && answer["queued"] == 1)
            #expect(answer["dropped"] == 0 && answer["offset"] == nil && answer["version"] == 1)
            #expect(answer["id"]?.string?.isEmpty == false && answer["epoch"] == nil)
            #expect(answer["complete"] == nil)
            #expect(try client.socket.receiveAll() == [.text("hello")])
        }
    }

    @Test("a push reaches and counts a channel's subscribers on both workers")
    func channel() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let clients = try Client.onBothWorkers(server, "/?channel=news")
            let other = try Client(server, "/?channel=sport")
            for offset in 1...3 {
                let answer = try server.ask("POST", "/v1/channels/news/messages", body: "m\(offset)").json()
                #expect(answer["matched"]?.int == clients.count && answer["queued"]?.int == clients.count)
            }
            for client in clients {
                #expect(try client.socket.receiveAll() == [.text("m1"), .text("m2"), .text("m3")])
            }
            #expect(try other.socket.receiveAll() == [])
            let nobody = try server.ask("POST", "/v1/channels/nowhere/messages", body: "x")
            #expect(nobody.status == 200)
            #expect(try nobody.json()["matched"] == 0)
        }
    }

    /// An invalid id is refused.
    @Test("exclude leaves out one connection")
    func exclude() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let clients = try Client.onBothWorkers(server, "/?channel=news")
            for excluded in clients {
                let path = "/v1/channels/news/messages?exclude=\(excluded.id)"
                #expect(try server.ask("POST", path, body: "x").json()["matched"]?.int == clients.count - 1)
                #expect(try excluded.socket.receiveAll() == [])
                for client in clients where client.id != excluded.id {
                    #expect(try client.socket.receiveAll() == [.text("x")])
                }
            }
            let refused = try server.ask("POST", "/v1/channels/news/messages?exclude=me", body: "x")
            #expect(refused.status == 400 && refused.errorCode == "parameter_invalid")
            let unknown = String(repeating: "0", count: 23)
            let all = try server.ask("POST", "/v1/channels/news/messages?exclude=\(unknown)", body: "x").json()
            #expect(all["matched"]?.int == clients.count)
        }
    }

    @Test("application/octet-stream is pushed as binary, all else as text")
    func contentType() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let client = try Client(server, "/?channel=news")
            let admin = HTTPClient(port: server.adminPort)
            let types: [(type: String, binary: Bool)] = [
                ("application/octet-stream", true), ("Application/Octet-Stream; x=y", true), ("text/plain", false),
                ("application/json", false), ("application/x-www-form-urlencoded", false), ("", false),
            ]
            for row in types {
                let headers = row.type.isEmpty ? [] : [("Content-Type", row.type)]
                let path = "/v1/channels/news/messages"
                #expect(try admin.request("POST", path, headers: headers, body: [0x61, 0x62]).status == 200)
                let expected: Message = row.binary ? .binary([0x61, 0x62]) : .text("ab")
                #expect(try client.socket.receive() == expected, "\(row.type)")
            }
        }
    }

    @Test("text must be UTF-8, the same bytes may go as binary, empty is a message")
    func bytes() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let client = try Client(server, "/?channel=news")
            let admin = HTTPClient(port: server.adminPort)
            let path = "/v1/channels/news/messages"
            for bytes: [UInt8] in [[0xFF], [0x68, 0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80]] {
                let refused = try admin.request("POST", path, body: bytes)
                #expect(refused.status == 400 && refused.errorCode == "text_not_utf8")
                let type = [("Content-Type", "application/octet-stream")]
                #expect(try admin.request("POST", path, headers: type, body: bytes).status == 200)
                #expect(try client.socket.receiveBinary() == bytes)
            }
            #expect(try admin.request("POST", path, body: "größer 🚀").status == 200)
            #expect(try admin.request("POST", path).status == 200)
            #expect(try client.socket.receiveAll() == [.text("größer 🚀"), .text("")])
        }
    }

    @Test("channel names are percent-encoded: UTF-8, slashes, up to 255 bytes")
    func names() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let long = String(repeating: "x", count: 255)
            let rows = [
                ("gr%C3%B6%C3%9Fe", "größe"), ("%F0%9F%9A%80", "🚀"), ("a%2Fb%2Fc", "a/b/c"), ("a%20b", "a b"),
                ("a+b", "a+b"), ("%2e%2e", ".."), ("room:1;x=%3F%23%25", "room:1;x=?#%"), (long, long),
            ]
            for (encoded, name) in rows {
                let answer = try server.ask("POST", "/v1/channels/\(encoded)/messages", body: "x")
                #expect(answer.status == 200, "\(encoded)")
                #expect(try answer.json()["channel"]?.string == name)
            }
            let client = try Client(server, "/?channel=%F0%9F%9A%80/a%20b")
            #expect(
                try server.ask("POST", "/v1/channels/%F0%9F%9A%80%2Fa%20b/messages", body: "hi").json()["matched"] == 1)
            #expect(try client.socket.receiveText() == "hi")
        }
    }

    @Test("an invalid channel name is refused")
    func invalidNames() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let long = String(repeating: "x", count: 256)
            for name in [long, "a%00b", "%0A", "%7F", "%C2%85", "%FF", "%C3", "%zz", "%", "%4"] {
                let refused = try server.ask("POST", "/v1/channels/\(name)/messages", body: "x")
                #expect(refused.status == 400 && refused.errorCode == "channel_name_invalid", "\(name)")
            }
        }
    }

    /// An unknown id is 404.
    @Test("a push to a connection reaches it alone")
    func connection() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let clients = try Client.onBothWorkers(server)
            for client in clients {
                let answer = try server.ask("POST", "/v1/connections/\(client.id)/messages", body: "for you").json()
                #expect(answer["matched"] == 1 && answer["queued"] == 1 && answer["channel"] == nil)
                #expect(try client.socket.receiveAll() == [.text("for you")])
                for other in clients where other.id != client.id { #expect(try other.socket.receiveAll() == []) }
            }
            let gone = clients[0]
            try gone.socket.close()
            try gone.socket.expectClose()
            let wrongNode = try #require(ConnectionID(clients[1].id))
            let elsewhere = ConnectionID(
                node: wrongNode.node &+ 1, worker: wrongNode.worker, slot: wrongNode.slot, secret: wrongNode.secret)
            let guessed = ConnectionID(
                node: wrongNode.node, worker: wrongNode.worker, slot: wrongNode.slot, secret: wrongNode.secret &+ 1)
            let noWorker = ConnectionID(node: wrongNode.node, worker: 200, slot: 1, secret: 1)
            for id in [gone.id, elsewhere.text, guessed.text, noWorker.text, "nobody", "%FF"] {
                let refused = try server.ask("POST", "/v1/connections/\(id)/messages", body: "x")
                #expect(refused.status == 404 && refused.errorCode == "connection_not_found", "\(id)")
            }
        }
    }

    @Test("a push to a user reaches exactly the user's connections on all workers")
    func user() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let ada = try Client.onBothWorkers(server, "/?user=ada%2Flovelace")
            let bob = try Client(server, "/?user=bob")
            let answer = try server.ask("POST", "/v1/users/ada%2Flovelace/messages", body: "hi").json()
            #expect(answer["matched"]?.int == ada.count && answer["queued"]?.int == ada.count)
            for client in ada { #expect(try client.socket.receiveAll() == [.text("hi")]) }
            #expect(try bob.socket.receiveAll() == [])
            #expect(try server.ask("POST", "/v1/users/eve/messages", body: "hi").json()["matched"] == 0)
        }
    }

    @Test("a push to all reaches every connection, or those of one path")
    func everyone() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let chat = try Client.onBothWorkers(server, "/chat?x=1")
            let main = try Client.onBothWorkers(server, "/")
            let all = try server.ask("POST", "/v1/messages", body: "all").json()
            #expect(all["matched"]?.int == chat.count + main.count)
            let some = try server.ask("POST", "/v1/messages?path=/chat", body: "chat").json()
            #expect(some["matched"]?.int == chat.count)
            for client in chat { #expect(try client.socket.receiveAll() == [.text("all"), .text("chat")]) }
            for client in main { #expect(try client.socket.receiveAll() == [.text("all")]) }
        }
    }

    /// The client gets 1013.
    @Test("a push that a slow consumer loses is dropped")
    func dropped() throws {
        try withServer(scripts: AdminScripts.both, configure: { $0.websocket.maxQueue = 64 << 10 }) { server in
            let slow = try WebSocketClient.connect(
                port: server.clientPort, path: "/?channel=news", timeout: .seconds(20), receiveBuffer: 4096)
            _ = try slow.receiveText()
            let admin = HTTPClient(port: server.adminPort, timeout: .seconds(20))
            let body = [UInt8](repeating: UInt8(ascii: "x"), count: 512 << 10)
            var last: JSON = nil
            for _ in 0..<100 where last["dropped"] != 1 {
                last = try admin.request("POST", "/v1/channels/news/messages", body: body).json()
                #expect(last["matched"] == 1)
            }
            #expect(last["dropped"] == 1 && last["queued"] == 0)
            #expect(try slow.expectClose(skippingMessages: true) == (1013, "slow consumer"))
            #expect(try admin.request("GET", "/v1/node").json()["closes"]?["slow_consumer"] == 1)
            #expect(try admin.request("GET", "/v1/node").json()["deliveriesDropped"] == 1)
        }
    }
}

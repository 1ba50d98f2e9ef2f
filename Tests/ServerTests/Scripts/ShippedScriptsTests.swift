// The scripts as shipped, each used as its first comment says.

import JSON
import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("Shipped scripts", .bounded)
struct ShippedScriptsTests {
    /// A client that sends nothing gets nothing more.
    @Test("main: welcomes a client to the lobby with its id")
    func welcome() throws {
        try withServer { server in
            let client = try WebSocketClient.connect(port: server.clientPort)
            let welcome = try client.receiveJSON()
            #expect(welcome["type"] == "welcome" && welcome["channels"] == ["lobby"] && welcome["version"] == 1)
            let node = HTTPClient(port: server.adminPort)
            let id = try #require(welcome["id"]?.string)
            #expect(try node.request("GET", "/v1/connections/\(id)").status == 200)
            #expect(try client.receiveAll() == [])
        }
    }

    /// It answers which channels the client may not have.
    @Test("main: subscribes a client to the channels that it names")
    func channels() throws {
        try withServer { server in
            let path = "/any/path?channel=news&channel=&channel=sport"
            let client = try WebSocketClient.connect(port: server.clientPort, path: path)
            #expect(try client.receiveText() == "a channel you named was refused: invalid channel name")
            #expect(try client.receiveJSON()["channels"] == ["news", "sport"])
            let admin = HTTPClient(port: server.adminPort)
            let answer = try admin.request("POST", "/v1/channels/sport/messages", body: "goal").json()
            #expect(answer["matched"] == 1)
            #expect(try client.receiveText() == "goal")
        }
    }

    @Test("main: answers a message and tells the others on its channels")
    func talk() throws {
        try withServer { server in
            let ada = try WebSocketClient.connect(port: server.clientPort)
            let bob = try WebSocketClient.connect(port: server.clientPort)
            let eve = try WebSocketClient.connect(port: server.clientPort, path: "/?channel=elsewhere")
            for client in [ada, bob, eve] { _ = try client.receiveJSON() }
            try ada.send("hello")
            #expect(try ada.receiveText() == "you said: hello")
            #expect(try bob.receiveText() == "someone said: hello")
            try ada.send([0xFF, 0])
            #expect(try ada.receiveText() == "you said: 2 bytes")
            #expect(try bob.receiveText() == "someone said: 2 bytes")
            #expect(try ada.receiveAll() == [] && eve.receiveAll() == [])
        }
    }

    @Test("echo: returns exactly the text and bytes that it gets")
    func echo() throws {
        try withServer { server in
            let client = try WebSocketClient.connect(port: server.clientPort, path: "/echo")
            #expect(try client.receiveAll() == [])
            try client.send("größer 🚀")
            try client.send([0, 0xFF, 0x80])
            try client.send("")
            #expect(try client.receiveAll() == [.text("größer 🚀"), .binary([0, 0xFF, 0x80]), .text("")])
        }
    }

    /// A name is unique in its room.
    @Test("chat: tells members, arrivals, messages and departures")
    func chat() throws {
        try withServer { server in
            let path = "/examples/chat?room=kitchen&name="
            let ada = try WebSocketClient.connect(port: server.clientPort, path: path + "Ada")
            #expect(try ada.receiveJSON()["names"] == ["Ada"])
            let bob = try WebSocketClient.connect(port: server.clientPort, path: path + "Bob")
            #expect(try bob.receiveJSON()["names"] == ["Ada", "Bob"])
            #expect(try ada.receiveJSON() == ["type": "joined", "name": "Bob"])
            try bob.send("hi")
            let said: JSON = ["type": "said", "name": "Bob", "text": "hi"]
            #expect(try ada.receiveJSON() == said)
            #expect(try bob.receiveJSON() == said)
            let other = try WebSocketClient.connect(port: server.clientPort, path: path + "Bob")
            #expect(try other.expectClose() == (4001, "that name is taken in this room"))
            try bob.close()
            try bob.expectClose()
            #expect(try ada.receiveJSON() == ["type": "left", "name": "Bob"])
            let again = try WebSocketClient.connect(port: server.clientPort, path: path + "Bob")
            #expect(try again.receiveJSON()["names"] == ["Ada", "Bob"])
        }
    }

    /// The answer reaches that one client.
    @Test("desk: a question has its connection's id and a POST answers it")
    func deskByHand() throws {
        try withServer { server in
            let desk = try WebSocketClient.connect(port: server.clientPort, path: "/?channel=desk")
            _ = try desk.receiveJSON()
            let client = try WebSocketClient.connect(port: server.clientPort, path: "/examples/desk")
            let id = try #require(try client.receiveJSON()["id"]?.string)
            try client.send("Are you open?")
            #expect(try client.receiveJSON() == ["type": "asked", "text": "Are you open?"])
            #expect(try desk.receiveJSON() == ["type": "question", "from": .string(id), "text": "Are you open?"])
            let admin = HTTPClient(port: server.adminPort)
            #expect(try admin.request("POST", "/v1/connections/\(id)/messages", body: "Until six.").status == 200)
            #expect(try client.receiveText() == "Until six.")
            #expect(try desk.receiveAll() == [])
        }
    }

    /// A wrong key closes the connection with 4003.
    @Test("desk: an agent with the key gets and answers questions")
    func deskOperator() throws {
        try withServer(configure: { $0.scripts.settings = ScriptSettings([.init(name: "deskKey", json: "\"s3cret\"")]) }
        ) { server in
            let path = "/examples/desk?operator="
            let stranger = try WebSocketClient.connect(port: server.clientPort, path: path + "guess")
            #expect(try stranger.expectClose() == (4003, "wrong operator key"))
            let person = try WebSocketClient.connect(port: server.clientPort, path: path + "s3cret")
            _ = try person.receiveJSON()
            let client = try WebSocketClient.connect(port: server.clientPort, path: "/examples/desk")
            _ = try client.receiveJSON()
            try client.send("Are you open?")
            _ = try client.receiveJSON()
            let from = try #require(try person.receiveJSON()["from"])
            try person.send(JSON.object(["to": from, "text": "Until six."]).description)
            #expect(try client.receiveText() == "Until six.")
            #expect(try person.receiveJSON() == ["type": "delivered", "to": from])
            try person.send(#"{"to":"nobody","text":"x"}"#)
            #expect(try person.receiveJSON()["type"] == "refused")
            try person.send("not JSON")
            #expect(try person.receiveJSON()["type"] == "refused")
        }
    }
}

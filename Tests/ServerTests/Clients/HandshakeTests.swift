// The opening handshake on the wire: requests that are accepted in any split, refused, or late.

import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("Handshake", .bounded)
struct HandshakeTests {
    @Test("answers an upgrade with 101 and the accept value of RFC 6455's example")
    func accepted() throws {
        try withServer { server in
            let socket = try server.dial()
            try socket.send(server.upgrade("/echo", headers: [("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]))
            let response = try HTTPResponse.read(from: socket, method: "GET")
            #expect(response.status == 101)
            #expect(response.header("Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
            #expect(response.header("Upgrade") == "websocket" && response.header("Connection") == "Upgrade")
        }
    }

    @Test("takes an upgrade that comes byte by byte")
    func byteByByte() throws {
        try withServer { server in
            let socket = try server.dial()
            try socket.send(server.upgrade("/echo"), inPiecesOf: 1)
            #expect(try HTTPResponse.read(from: socket, method: "GET").status == 101)
        }
    }

    /// The last one is cut in its middle.
    @Test("takes the frames that follow the head in the same segment")
    func framesBehindTheHead() throws {
        try withServer { server in
            let socket = try server.dial()
            let last = ClientFrame.text("three").bytes
            let frames = ClientFrame.text("one").bytes + ClientFrame.text("two").bytes + last.prefix(8)
            try socket.send(server.upgrade("/echo") + frames)
            let client = try WebSocketClient.adopt(socket)
            #expect(try client.receiveText() == "one")
            #expect(try client.receiveText() == "two")
            try socket.send(Array(last.dropFirst(8)))
            #expect(try client.receiveText() == "three")
        }
    }

    @Test("upgrades a connection behind plain requests in one segment")
    func afterPlainRequests() throws {
        try withServer { server in
            let socket = try server.dial()
            let plain = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\nHEAD /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
            try socket.send(Array(plain.utf8) + server.upgrade("/echo") + ClientFrame.text("hello").bytes)
            #expect(try HTTPResponse.read(from: socket, method: "GET").text == "ok")
            #expect(try HTTPResponse.read(from: socket, method: "HEAD").status == 200)
            #expect(try WebSocketClient.adopt(socket).receiveText() == "hello")
        }
    }

    @Test("answers another version with the supported one")
    func version() throws {
        try withServer { server in
            let refusal = try WebSocketClient.handshakeRefused(
                port: server.clientPort, headers: [("Sec-WebSocket-Version", "8")])
            #expect(refusal.status == 426 && refusal.header("Sec-WebSocket-Version") == "13")
            #expect(refusal.header("Upgrade") == "websocket")
        }
    }

    @Test("answers an upgrade with another method with the allowed one")
    func method() throws {
        try withServer { server in
            let socket = try server.dial()
            try socket.send("POST" + String(decoding: server.upgrade().dropFirst(3), as: UTF8.self))
            let refusal = try HTTPResponse.read(from: socket, method: "POST")
            #expect(refusal.status == 405 && refusal.header("Allow") == "GET")
            #expect(try socket.readToEnd() == [])
        }
    }

    @Test("answers 404 on a path without a script and upgrades one with a script")
    func path() throws {
        try withServer(scripts: ["chat.lua": ""]) { server in
            let refusal = try WebSocketClient.handshakeRefused(port: server.clientPort, path: "/other")
            #expect(refusal.status == 404)
            _ = try server.connect("/chat")
        }
    }

    @Test("answers 431 beyond http.maxHead and http.maxFields")
    func heads() throws {
        try withServer(configure: { ($0.http.maxHead, $0.http.maxFields) = (1024, 10) }) { server in
            let large = [("X-Large", String(repeating: "x", count: 1024))]
            let many = (1...10).map { ("X-\($0)", "x") }
            for headers in [large, many] {
                let refusal = try WebSocketClient.handshakeRefused(port: server.clientPort, headers: headers)
                #expect(refusal.status == 431)
            }
        }
    }

    @Test(
        "answers 408 to a request that is incomplete after timeouts.handshake",
        arguments: ["", "GET", "GET / HTTP/1.1\r\nHost: h\r\n"])
    func late(part: String) throws {
        try withServer(configure: { $0.timeouts.handshake = .milliseconds(50) }) { server in
            let socket = try server.dial()
            try socket.send(part)
            #expect(try HTTPResponse.read(from: socket, method: "GET").status == 408)
            #expect(try socket.readToEnd() == [])
            #expect(try server.closes(for: "handshake_timeout") == 1)
        }
    }

    @Test("cuts a connection that stays idle after an answer")
    func idle() throws {
        try withServer(configure: { $0.timeouts.handshake = .milliseconds(50) }) { server in
            let socket = try server.dial()
            try socket.send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try HTTPResponse.read(from: socket, method: "GET").status == 200)
            #expect(try socket.readToEnd() == [])
            #expect(try server.closes(for: "handshake_timeout") == 0)
        }
    }

    @Test("lets a connection live on that was upgraded within timeouts.handshake")
    func outlives() throws {
        let script = """
            function onOpen(conn) server.after(0.4, function() conn:send("still here") end) end
            """
        try withServer(scripts: ["main.lua": script], configure: { $0.timeouts.handshake = .milliseconds(50) }) {
            let client = try $0.connect()
            #expect(try client.receiveText() == "still here")
        }
    }
}

// Floods of allowed traffic: they cost the sender, not the server and not the others.

import JSON
import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("Floods", .bounded)
struct FloodTests {
    @Test("every ping of 5,000 gets its pong, in order, when the client reads them")
    func pings() throws {
        try withServer { server in
            let client = try server.connect("/echo")
            for round in 0..<50 {
                let payloads = (0..<100).map { [UInt8(round), UInt8($0)] }
                try client.socket.send(payloads.flatMap { ClientFrame(opcode: 9, payload: $0).bytes })
                for payload in payloads { #expect(try client.receive() == .pong(payload)) }
            }
        }
    }

    /// The others go on.
    @Test("a client that pings and never reads is closed as a slow consumer")
    func unreadPongs() throws {
        try withServer(configure: Self.configure) { server in
            let healthy = try server.connect("/echo")
            let hostile = try server.connect("/echo", receiveBuffer: 4096)
            let ping = ClientFrame(opcode: 9, payload: Array(repeating: 0x70, count: 125)).bytes
            let pings = Array(repeatElement(ping, count: 500).joined())
            try hostile.socket.sendUntilCutOff(pings)
            #expect(try server.closes(for: "slow_consumer") == 1)
            try healthy.send("still there?")
            #expect(try healthy.receiveText() == "still there?")
        }
    }

    @Test("a message of 10,000 fragments of one byte is one message")
    func tinyFragments() throws {
        try withServer { server in
            let client = try server.connect("/echo")
            let text = String(repeating: "0123456789", count: 1000)
            try client.socket.send(Self.fragments(text.utf8.map { [$0] }))
            #expect(try client.receiveText() == text)
        }
    }

    @Test("10,000 fragments without a byte are an empty message")
    func emptyFragments() throws {
        try withServer { server in
            let client = try server.connect("/echo")
            try client.socket.send(Self.fragments(Array(repeating: [], count: 10_000)))
            #expect(try client.receiveText() == "")
        }
    }

    @Test("a whole conversation in writes of one byte is a conversation")
    func oneByteWrites() throws {
        try withServer { server in
            let socket = try server.dial()
            try socket.send(server.upgrade("/echo"), inPiecesOf: 1)
            let client = try WebSocketClient.adopt(socket)
            try client.sendFrame(.text("byte by byte ✓"), inPiecesOf: 1)
            #expect(try client.receiveText() == "byte by byte ✓")
            try client.sendFrame(.close(code: 1000), inPiecesOf: 1)
            #expect(try client.expectClose().code == 1000)
        }
    }

    /// Each is answered 408 in the end.
    @Test("200 silent connections keep nobody from connecting")
    func silentConnections() throws {
        try withServer(configure: { $0.timeouts.handshake = .milliseconds(300) }) { server in
            let silent = try (0..<200).map { _ in try server.dial() }
            let healthy = try server.connect("/echo")
            try healthy.send("hello")
            #expect(try healthy.receiveText() == "hello")
            for socket in silent { #expect(try HTTPResponse.read(from: socket, method: "GET").status == 408) }
            #expect(try server.closes(for: "handshake_timeout") == 200)
        }
    }

    @Test("200 connections that come and are reset at once leave nothing behind")
    func resets() throws {
        try withServer(configure: Self.configure) { server in
            for _ in 0..<100 {
                try server.dial().reset()
                try server.connect("/echo").socket.reset()
            }
            try server.eventually("no connection is left") { try server.nodeState()["connections"] == 0 }
            let healthy = try server.connect("/echo")
            try healthy.send("hello")
            #expect(try healthy.receiveText() == "hello")
        }
    }

    /// Then it is cut.
    @Test("a client that pipelines and never reads gets one queue of answers")
    func unreadAnswers() throws {
        try withServer(configure: { $0.websocket.maxQueue = 64 << 10 }) { server in
            let hostile = try server.dial()
            let count = 10_000
            try hostile.send(
                Array(repeatElement(Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8), count: count).joined()))
            let answers = try Self.answersUntilClose(on: hostile)
            #expect(answers < count / 2)
            #expect(try hostile.readToEnd() == [])
        }
    }

    private static func answersUntilClose(on socket: RawSocket) throws -> Int {
        var answers = 1
        while try HTTPResponse.read(from: socket, method: "GET").header("Connection") != "close" { answers += 1 }
        return answers
    }

    private static func fragments(_ pieces: [[UInt8]]) -> [UInt8] {
        pieces.enumerated().flatMap { index, piece in
            var frame = ClientFrame(opcode: index == 0 ? 1 : 0, payload: piece)
            frame.fin = index == pieces.count - 1
            return frame.bytes
        }
    }

    private static func configure(_ configuration: inout Configuration) {
        configuration.workers = 1
        configuration.websocket.maxQueue = 64 << 10
        configuration.timeouts.close = .milliseconds(100)
    }
}

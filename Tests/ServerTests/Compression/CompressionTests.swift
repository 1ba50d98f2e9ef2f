// permessage-deflate against a running server: the negotiation, messages both ways, and breaches.

import JSON
import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("Compression", .bounded)
struct CompressionTests {
    static let offer = "permessage-deflate; client_max_window_bits"
    static let agreed = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

    /// A client that does not offer it gets none.
    @Test("the default agrees on compression without context takeover")
    func agreement() throws {
        try withServer { server in
            let client = try server.connect("/echo", deflate: Self.offer)
            #expect(client.response.header("Sec-WebSocket-Extensions") == Self.agreed)
            let plain = try server.connect("/echo")
            #expect(plain.response.header("Sec-WebSocket-Extensions") == nil)
            let other = try server.connect("/echo", deflate: "permessage-deflate; server_max_window_bits=8")
            #expect(other.deflate == nil)
        }
    }

    /// The client talks plainly.
    @Test("compression.enabled: false agrees on nothing")
    func disabled() throws {
        try withServer(configure: { $0.compression.enabled = false }) { server in
            let client = try server.connect("/echo", deflate: Self.offer)
            #expect(client.deflate == nil)
            try client.send(Self.text(5000))
            #expect(try client.receiveText() == Self.text(5000))
        }
    }

    @Test("a header that breaks the grammar is refused with 400, compression or not", arguments: [true, false])
    func malformed(_ isEnabled: Bool) throws {
        try withServer(configure: { $0.compression.enabled = isEnabled }) { server in
            let response = try WebSocketClient.handshakeRefused(
                port: server.clientPort, path: "/echo", headers: [("Sec-WebSocket-Extensions", "permessage-deflate;")])
            #expect(response.status == 400)
        }
    }

    /// Compressed from the threshold on, plain below it.
    @Test("messages of every size come back unchanged")
    func echo() throws {
        try withServer { server in
            let client = try server.connect("/echo", deflate: Self.offer)
            for count in [0, 1, 100, 1023, 1024, 5000, 70_000, 1 << 20] {
                try client.sendCompressed(Self.text(count))
                #expect(try client.receiveText() == Self.text(count))
                #expect(client.lastWasCompressed == (count >= 1024), "\(count) bytes")
            }
            try client.send(Self.text(2000))
            #expect(try client.receiveText() == Self.text(2000))
            #expect(client.lastWasCompressed, "a plain message may return compressed")
            let noise = (0..<5000).map { _ in UInt8.random(in: 0...255) }
            try client.sendCompressed(noise)
            #expect(try client.receiveBinary() == noise)
            #expect(!client.lastWasCompressed, "a message that does not shrink is sent as it is")
            #expect(try server.nodeState()["messagesInflated"] == 9)
        }
    }

    @Test("with every window that can be agreed on, messages come back unchanged", arguments: 9...15)
    func windows(_ bits: Int) throws {
        try withServer(configure: { $0.compression.contextTakeover = bits % 2 == 0 }) { server in
            let offer = "permessage-deflate; server_max_window_bits=\(bits); client_max_window_bits=\(bits)"
            let client = try server.connect("/echo", deflate: offer)
            #expect(client.deflate?.parameters["server_max_window_bits"] == "\(bits)")
            for count in [2000, 50_000, 2000, 300_000] {
                try client.sendCompressed(Self.text(count))
                #expect(try client.receiveText() == Self.text(count))
                #expect(client.lastWasCompressed)
            }
        }
    }

    /// In both directions.
    @Test("compression.contextTakeover makes a repeated message almost free")
    func takeover() throws {
        try withServer(configure: { $0.compression.contextTakeover = true }) { server in
            let client = try server.connect("/echo", deflate: Self.offer)
            #expect(client.response.header("Sec-WebSocket-Extensions") == "permessage-deflate")
            // Noise in base64's alphabet shrinks by a quarter at best, unless it is known already.
            let text = String(decoding: (0..<4000).map { _ in UInt8.random(in: 0x40...0x7F) }, as: UTF8.self)
            var sizes: [Int] = []
            for _ in 0..<5 {
                try client.sendCompressed(text)
                let frame = try client.receiveFrame()
                sizes.append(frame.payload.count)
                #expect(try client.deflate?.inflate(frame.payload) == Array(text.utf8))
            }
            #expect(sizes[0] > 2500 && sizes[1...].allSatisfy { $0 < 100 }, "\(sizes)")
        }
    }

    /// Pushes are compressed for each client with takeover.
    @Test("a client may decline context takeover")
    func takeoverDeclined() throws {
        try withServer(scripts: Self.news, configure: { $0.compression.contextTakeover = true }) { server in
            let with = try server.connect(deflate: "permessage-deflate; client_no_context_takeover")
            let without = try server.connect(deflate: "permessage-deflate; server_no_context_takeover")
            #expect(with.deflate?.parameters.keys.sorted() == ["client_no_context_takeover"])
            #expect(without.deflate?.parameters.keys.sorted() == ["server_no_context_takeover"])
            for number in 1...4 {
                let text = "\(number) " + Self.text(3000)
                _ = try HTTPClient.once("POST", "/v1/channels/news/messages", port: server.adminPort, body: text)
                for client in [with, without] { #expect(try client.receiveText() == text && client.lastWasCompressed) }
            }
            #expect(try server.nodeState()["messagesDeflated"] == 8)
        }
    }

    @Test("a compressed message in fragments, a ping between them, is one message")
    func fragments() throws {
        try withServer { server in
            let client = try server.connect("/echo", deflate: Self.offer)
            let payload = try #require(client.deflate).compress(Array(Self.text(3000).utf8))
            try client.sendFrame(fin: false, rsv: 4, opcode: 1, payload: Array(payload[..<5]))
            try client.ping([1])
            #expect(try client.receive() == .pong([1]))
            try client.sendFrame(fin: false, opcode: 0, payload: [])
            try client.sendFrame(opcode: 0, payload: Array(payload[5...]))
            #expect(try client.receiveText() == Self.text(3000))
        }
    }

    @Test("a compressed message comes back whole wherever its bytes are cut")
    func pieces() throws {
        try withServer { server in
            let client = try server.connect("/echo", deflate: Self.offer)
            var frame = ClientFrame.text("")
            frame.rsv = 4
            frame.payload = try #require(client.deflate).compress(Array(Self.text(1500).utf8))
            for size in [1, 2, 3, 7, 50] {
                try client.sendFrame(frame, inPiecesOf: size)
                #expect(try client.receiveText() == Self.text(1500))
            }
        }
    }

    /// On a continuation, on a ping, and without an agreement.
    @Test("a misplaced RSV1 closes with 1002")
    func reservedBits() throws {
        try withServer { server in
            let continuation = try server.connect("/echo", deflate: Self.offer)
            try continuation.sendFrame(fin: false, rsv: 4, opcode: 1, payload: [0])
            try continuation.sendFrame(rsv: 4, opcode: 0, payload: [0])
            #expect(try continuation.expectClose().code == 1002)
            let ping = try server.connect("/echo", deflate: Self.offer)
            try ping.sendFrame(rsv: 4, opcode: 9)
            #expect(try ping.expectClose().code == 1002)
            let plain = try server.connect("/echo")
            try plain.sendFrame(rsv: 4, opcode: 1, payload: [0])
            #expect(try plain.expectClose().code == 1002)
            #expect(try server.closes(for: "reserved_bits") == 3)
        }
    }

    /// So does text that is not UTF-8 once inflated.
    @Test(
        "corrupt compressed data closes with 1007",
        arguments: [[0xFF, 0xFF], [0xF2, 0x48, 0xCD], [0x00, 0x02, 0x00, 0xFD, 0xFF, 0x61, 0xC0, 0x00]] as [[UInt8]])
    func corrupt(_ payload: [UInt8]) throws {
        try withServer { server in
            let healthy = try server.connect("/echo", deflate: Self.offer)
            let client = try server.connect("/echo", deflate: Self.offer)
            try client.sendFrame(rsv: 4, opcode: 1, payload: payload)
            #expect(try client.expectClose().code == 1007)
            let reason = payload.count > 3 ? "invalid_text" : "corrupt_compression"
            #expect(try server.closes(for: reason) == 1)
            try healthy.sendCompressed(Self.text(2000))
            #expect(try healthy.receiveText() == Self.text(2000))
        }
    }

    /// It takes no more memory than that.
    @Test("a bomb of gigabytes closes with 1009 at websocket.maxMessage")
    func bomb() throws {
        try withServer(configure: { $0.workers = 1 }) { server in
            let healthy = try server.connect("/echo", deflate: Self.offer)
            let deflate = try #require(healthy.deflate)
            let megabyte = deflate.compress([UInt8](repeating: 0, count: 1 << 20)) + [0, 0, 0xFF, 0xFF]
            var bomb = ClientFrame(opcode: 2, payload: Array(repeatElement(megabyte, count: 10_000).joined()) + [0])
            (bomb.rsv, bomb.mask) = (4, [0, 0, 0, 0])
            let bytes = bomb.bytes
            let before = try #require(server.nodeState()["memoryBytes"]?.int)
            for count in 1...3 {
                let client = try server.connect("/echo", deflate: Self.offer)
                try client.socket.send(bytes)
                #expect(try client.expectClose().code == 1009)
                #expect(try server.closes(for: "message_too_big") == count)
                try healthy.sendCompressed(Self.text(2000))
                #expect(try healthy.receiveText() == Self.text(2000))
            }
            let after = try #require(server.nodeState()["memoryBytes"]?.int)
            // 10 MiB of bomb, 16 MiB of limit, the allocator's share of both, and the memory of other tests meanwhile:
            // 30 GB it is not.
            #expect(after - before < 512 << 20)
        }
    }

    @Test("the limit holds for the compressed and for the inflated size")
    func limits() throws {
        try withServer(configure: { $0.websocket.maxMessage = 10_000 }) { server in
            let client = try server.connect("/echo", deflate: Self.offer)
            try client.sendCompressed(Self.text(10_000))
            #expect(try client.receiveText() == Self.text(10_000))
            try client.sendCompressed(Self.text(10_001))
            #expect(try client.expectClose().code == 1009)
            let other = try server.connect("/echo", deflate: Self.offer)
            var frame = ClientFrame(opcode: 2)
            (frame.rsv, frame.declaredLength) = (4, 10_001)
            try other.sendFrame(frame)
            #expect(try other.expectClose().code == 1009)
        }
    }

    @Test("a look at a connection says whether it is compressed")
    func look() throws {
        try withServer(scripts: Self.news) { server in
            for (offer, expected) in [(Self.offer, "permessage-deflate" as JSON), (nil, .null)] {
                let client = try server.connect("/id", deflate: offer)
                let path = "/v1/connections/\(try client.receiveText())"
                let answer = try HTTPClient.once("GET", path, port: server.adminPort).json()
                #expect(answer["compression"] == expected)
            }
        }
    }

    /// `/` subscribes to "news", `/id` tells its id.
    static let news = [
        "main.lua": #"function onOpen(conn) conn:subscribe("news") end"#,
        "id.lua": "function onOpen(conn) conn:send(conn.id) end",
    ]

    /// Text of so many bytes that shrinks well, but not to nothing.
    static func text(_ count: Int) -> String {
        var (text, number) = ("", 0)
        while text.utf8.count < count {
            number = (number &* 1_103_515_245 &+ 12345) & 0x7FFF_FFFF
            text += #"{"symbol":"S\#(number % 50)","price":\#(number % 100_000)},"#
        }
        return String(text.prefix(count))
    }
}

// Messages through the echo script: whole, in fragments, large, too large, and no text at all.

import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("Messages", .bounded)
struct MessageTests {
    @Test("text comes back as text and binary as binary, the empty ones too")
    func echo() throws {
        try withServer { server in
            let client = try server.connect("/echo")
            try client.send("grüße 🚀")
            try client.send([0, 0xFF, 0x80])
            try client.send("")
            try client.send([UInt8]())
            let expected: [Message] = [.text("grüße 🚀"), .binary([0, 0xFF, 0x80]), .text(""), .binary([])]
            #expect(try client.receiveAll() == expected)
        }
    }

    /// The message is whole, even when it is cut within a character.
    @Test("answers a ping between two fragments at once")
    func fragments() throws {
        try withServer { server in
            let client = try server.connect("/echo")
            try client.sendFrame(fin: false, opcode: 1, payload: [0x67, 0x72, 0xC3])
            try client.ping([1, 2, 3])
            #expect(try client.receive() == .pong([1, 2, 3]))
            try client.sendFrame(fin: false, opcode: 0)
            try client.sendFrame(opcode: 0, payload: [0xBC, 0x6E])
            #expect(try client.receiveText() == "grün")
        }
    }

    @Test("a text of 1 MiB comes back unchanged")
    func mebibyte() throws {
        try withServer { server in
            let client = try server.connect("/echo")
            let text = String(repeating: "0123456789abcdö", count: 65536)
            try client.sendUnmasked(opcode: 1, Array(text.utf8))
            #expect(try client.receiveText() == text)
        }
    }

    /// By default 16 MiB.
    @Test("a message of exactly websocket.maxMessage comes back unchanged")
    func largest() throws {
        try withServer { server in
            let client = try server.connect("/echo")
            let pattern = (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let payload = Array(repeatElement(pattern, count: 4096).joined())
            try client.sendUnmasked(opcode: 2, payload)
            #expect(try client.receiveBinary() == payload)
        }
    }

    @Test("one byte more is refused with 1009 as soon as it is announced")
    func tooLarge() throws {
        try withServer { server in
            let client = try server.connect("/echo")
            var frame = ClientFrame(opcode: 2)
            frame.declaredLength = 16 << 20 + 1
            try client.sendFrame(frame)
            #expect(try client.expectClose() == (1009, "message too big"))
            #expect(try server.closes(for: "message_too_big") == 1)
        }
    }

    @Test("fragments beyond websocket.maxMessage in sum are refused with 1009")
    func fragmentsTooLarge() throws {
        try withServer(configure: { $0.websocket.maxMessage = 100 }) { server in
            let client = try server.connect("/echo")
            try client.send(String(repeating: "x", count: 100))
            #expect(try client.receiveText().count == 100)
            try client.sendFrame(fin: false, opcode: 1, payload: Array(repeating: 0x78, count: 60))
            var rest = ClientFrame(opcode: 0)
            rest.declaredLength = 41
            try client.sendFrame(rest)
            #expect(try client.expectClose().code == 1009)
        }
    }

    /// Before the message ends.
    @Test("text that is not UTF-8 is refused with 1007 at its first wrong byte")
    func invalidText() throws {
        try withServer { server in
            let client = try server.connect("/echo")
            try client.sendFrame(fin: false, opcode: 1, payload: [0x61, 0xC0])
            #expect(try client.expectClose() == (1007, "text must be UTF-8"))
        }
    }
}

extension WebSocketClient {
    /// Sends a large message quickly: a masking key of zeros leaves the payload as it is.
    fileprivate func sendUnmasked(opcode: UInt8, _ payload: [UInt8]) throws {
        var head = ClientFrame(opcode: opcode)
        head.mask = [0, 0, 0, 0]
        head.declaredLength = UInt64(payload.count)
        try socket.send(head.bytes + payload)
    }
}

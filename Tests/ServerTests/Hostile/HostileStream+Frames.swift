// Bytes in place of frames: every breach of RFC 6455 that a stream can have, and connections that end early.

import PerigeeTestKit

extension HostileStream {
    static let frames = heads + lengths + order + texts + closings + garbage + cutOff

    private static let heads: [HostileStream] = [
        .frames("reserved bit 1", [frame(1, rsv: 4)], .close(1002)),
        .frames("reserved bit 2", [frame(1, rsv: 2)], .close(1002)),
        .frames("reserved bit 3", [frame(9, rsv: 1)], .close(1002)),
        .frames("all reserved bits", [frame(2, rsv: 7)], .close(1002)),
        .frames("a reserved bit in a continuation", [frame(1, fin: false), frame(0, rsv: 4)], .close(1002)),
        .frames("a reserved bit in a Close", [frame(8, rsv: 4)], .close(1002)),
        .frames("opcode 3", [frame(3)], .close(1002)),
        .frames("opcode 4 in a message", [frame(1, fin: false), frame(4)], .close(1002)),
        .frames("opcode 5", [frame(5)], .close(1002)),
        .frames("opcode 7", [frame(7)], .close(1002)),
        .frames("opcode 11", [frame(11)], .close(1002)),
        .frames("opcode 12 in fragments", [frame(12, fin: false)], .close(1002)),
        .frames("opcode 13", [frame(13)], .close(1002)),
        .frames("opcode 15", [frame(15)], .close(1002)),
        .frames("a text without a mask", [frame(1, masked: false)], .close(1002)),
        .frames("a continuation without a mask", [frame(1, fin: false), frame(0, masked: false)], .close(1002)),
        .frames("a ping without a mask", [frame(9, masked: false)], .close(1002)),
        .frames("a Close without a mask", [frame(8, masked: false)], .close(1002)),
    ]

    private static let lengths: [HostileStream] = [
        .frames("a ping of 126 bytes", [frame(9, payload: 126)], .close(1002)),
        .frames("a pong of 126 bytes", [frame(10, payload: 126)], .close(1002)),
        .frames("a Close of 126 bytes", [frame(8, payload: 126)], .close(1002)),
        .frames("a short ping in 16 bits", [form(.sixteenBits, payload: 5, 9)], .close(1002)),
        .frames("an empty text in 64 bits", [form(.sixtyFourBits, payload: 0, 1)], .close(1002)),
        .frames("a ping that announces 2^62 bytes", [declaring(1 << 62, 9)], .close(1002)),
        .frames("a short length in 16 bits", [form(.sixteenBits, payload: 125)], .close(1002)),
        .frames("a short length in 64 bits", [form(.sixtyFourBits, payload: 5)], .close(1002)),
        .frames("a length of 65,535 in 64 bits", [form(.sixtyFourBits, payload: 65_535)], .close(1002)),
        .frames("a length with its highest bit set", [declaring(1 << 63)], .close(1002)),
        .frames("the largest length that a frame can announce", [declaring(.max >> 1)], .close(1009)),
        .frames("all bits of a length", [declaring(.max)], .close(1002)),
        .frames("a length of 2^32", [declaring(1 << 32)], .close(1009)),
        .frames("a length over the limit", [declaring(1 << 20 + 1)], .close(1009)),
        .frames(
            "a continuation over the limit", [frame(2, fin: false, payload: 1), declaring(1 << 20, 0)], .close(1009)),
        .frames(
            "fragments over the limit together",
            Array(repeating: frame(0, fin: false, payload: 60_000), count: 18).enumerated().map { index, part in
                index == 0 ? frame(2, fin: false, payload: 60_000) : part
            }, .close(1009)),
        .frames(
            "an endless continuation of a full message",
            [frame(2, fin: false, payload: 1 << 20), declaring(.max >> 1, 0)], .close(1009)),
    ]

    private static let order: [HostileStream] = [
        .frames("a continuation of nothing", [frame(0)], .close(1002)),
        .frames("the beginning of a continuation of nothing", [frame(0, fin: false)], .close(1002)),
        .frames("a text inside a text", [frame(1, fin: false), frame(1)], .close(1002)),
        .frames("a binary inside a text", [frame(1, fin: false), frame(2)], .close(1002)),
        .frames("a text inside a binary", [frame(2, fin: false), frame(1, fin: false)], .close(1002)),
        .frames("a ping in fragments", [frame(9, fin: false), frame(0)], .close(1002)),
        .frames("a ping in fragments inside a message", [frame(1, fin: false), frame(9, fin: false)], .close(1002)),
        .frames("a continuation behind a whole message", [frame(0, fin: false), frame(0)], .close(1002)),
        .frames(
            "a second beginning behind a ping", [frame(2, fin: false), frame(10), frame(2, fin: false)], .close(1002)),
        .frames("a Close in fragments", [frame(8, fin: false), frame(0)], .close(1002)),
    ]

    private static let texts: [HostileStream] = [
        text("a byte that no text has", [0xFF]),
        text("a continuation byte alone", [0x61, 0x80]),
        text("an overlong slash", [0xC0, 0xAF]),
        text("an overlong letter", [0xC1, 0xA1]),
        text("an overlong character of four bytes", [0xF0, 0x80, 0x80, 0x80]),
        text("a character of five bytes", [0xF8, 0x88, 0x80, 0x80, 0x80]),
        text("a byte order mark of UTF-16", [0xFF, 0xFE, 0x61, 0]),
        text("the second half of a surrogate pair", [0xED, 0xBF, 0xBF]),
        text("a wrong byte behind 60,000 right ones", Array(repeating: 0x61, count: 60_000) + [0x80]),
        text("an overlong NUL", [0xE0, 0x80, 0x80]),
        text("a surrogate", [0xED, 0xA0, 0x80]),
        text("a character beyond U+10FFFF", [0xF4, 0x90, 0x80, 0x80]),
        text("a character cut off", [0x61, 0xE2, 0x82]),
        .frames(
            "a character cut off between fragments",
            [bytes(1, [0xE2, 0x82], fin: false), bytes(0, [0x61])], .close(1007)),
        .frames("a wrong byte in a message that goes on", [bytes(1, [0xC1], fin: false)], .close(1007)),
        .frames(
            "a wrong byte behind a ping between fragments",
            [bytes(1, [0xE2], fin: false), frame(10), bytes(0, [0x28, 0xA1])], .close(1007)),
    ]

    private static let closings: [HostileStream] =
        ([0, 1, 100, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] as [UInt16]).map {
            .frames("a Close with the code \($0)", [ClientFrame.close(code: $0)], .close(1002))
        } + [
            .frames("half a close code", [bytes(8, [3])], .close(1002)),
            .frames("a close reason that is no text", [bytes(8, [3, 0xE8, 0xC0])], .close(1007)),
            .frames("a close reason cut off in a character", [bytes(8, [3, 0xE8, 0xE2, 0x82])], .close(1007)),
            .frames("a wrong code before a wrong reason", [bytes(8, [3, 0xED, 0xC0])], .close(1002)),
            .frames("a Close inside a message", [frame(1, fin: false), ClientFrame.close(code: 1000)], .close(1000)),
            .frames(
                "a Close and garbage", ClientFrame.close(code: 3000).bytes + Array(repeating: 0xFF, count: 999),
                .close(3000)),
            .frames("a Close and more", [ClientFrame.close(code: 1000), frame(1), frame(3)], .close(1000)),
            .frames("two Closes", [ClientFrame.close(code: 4000), ClientFrame.close(code: 1000)], .close(4000)),
        ]

    private static let garbage: [HostileStream] = [
        .frames("a request", Array(WebSocketClient.request(path: "/echo", host: "h").utf8), .close(1002)),
        .frames("a TLS hello", [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3], .close(1002)),
        .frames("zeros", Array(repeating: 0, count: 100_000), .close(1002)),
        .frames("ones", Array(repeating: 0xFF, count: 100_000), .close(1002)),
        .frames("plain text", Array("hello, server\n".utf8), .close(1002)),
    ]

    private static let cutOff: [HostileStream] = [
        .frames("no frame, then the end", [], .silence, .halfCloses),
        .frames("no frame, then a reset", [], .unknown, .resets),
        .frames("one byte of a head, then the end", [0x81], .silence, .halfCloses),
        .frames("half a head, then a reset", [0x82, 0xFE, 1], .unknown, .resets),
        .frames("half a payload, then the end", Array(frame(1, payload: 99).bytes.prefix(50)), .silence, .halfCloses),
        .frames("half a payload, then a reset", Array(frame(1, payload: 99).bytes.prefix(50)), .unknown, .resets),
        .frames("half a message, then the end", frame(1, fin: false, payload: 9).bytes, .silence, .halfCloses),
        .frames("half a message, then a reset", frame(1, fin: false, payload: 9).bytes, .unknown, .resets),
        .frames("a message, then a reset", frame(1, payload: 9).bytes, .unknown, .resets),
        .frames("a Close, then a reset", ClientFrame.close(code: 1000).bytes, .unknown, .resets),
        .frames("a Close, then the end", ClientFrame.close(code: 1000).bytes, .close(1000), .halfCloses),
    ]

    private static func frame(
        _ opcode: UInt8, fin: Bool = true, rsv: UInt8 = 0, masked: Bool = true, payload count: Int = 0
    ) -> ClientFrame {
        var frame = ClientFrame(opcode: opcode, payload: Array(repeating: 0x61, count: count))
        (frame.fin, frame.rsv, frame.masked) = (fin, rsv, masked)
        return frame
    }

    private static func bytes(_ opcode: UInt8, _ payload: [UInt8], fin: Bool = true) -> ClientFrame {
        var frame = ClientFrame(opcode: opcode, payload: payload)
        frame.fin = fin
        return frame
    }

    private static func text(_ rule: String, _ payload: [UInt8]) -> HostileStream {
        .frames("a text with " + rule, [bytes(1, payload)], .close(1007))
    }

    private static func declaring(_ length: UInt64, _ opcode: UInt8 = 2) -> ClientFrame {
        var frame = ClientFrame(opcode: opcode)
        frame.declaredLength = length
        if length > 0xFFFF { frame.lengthForm = .sixtyFourBits }
        return frame
    }

    private static func form(
        _ form: ClientFrame.LengthForm, payload count: Int, _ opcode: UInt8 = 2
    ) -> ClientFrame {
        var frame = ClientFrame(opcode: opcode, payload: Array(repeating: 0x61, count: count))
        frame.lengthForm = form
        return frame
    }
}

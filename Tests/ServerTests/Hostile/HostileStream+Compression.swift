// Compressed bytes, or bytes that claim to be: offers that are none, payloads that do not inflate, and those that inflate to
// too much.

import PerigeeTestKit

extension HostileStream {
    static let compressedFrames = reservedBits + corrupt + tooMuch
    static let offers: [HostileStream] = [
        offer("a parameter without its extension", "permessage-deflate,;"),
        offer("too many offers", Array(repeating: "a;b", count: 33).joined(separator: ",")),
        offer("an offer that begins with its parameters", "; client_max_window_bits"),
        offer("an offer that is no token", "permessage deflate"),
        offer("a parameter without a name", "permessage-deflate; =15"),
        offer("a parameter without a value", "permessage-deflate; client_max_window_bits="),
        offer("an open quote", "permessage-deflate; client_max_window_bits=\"15"),
        offer("a value that is no token", "permessage-deflate; client_max_window_bits=\"1 5\""),
        offer("an offer behind a control byte", "\u{1}permessage-deflate"),
        offer("offers between semicolons alone", ";;;;"),
    ]

    private static let reservedBits: [HostileStream] = [
        compressed("all reserved bits", [ClientFrame(opcode: 1, rsv: 7, hello)], 1002),
        compressed("reserved bit 2 beside the compression's", [ClientFrame(opcode: 1, rsv: 6, hello)], 1002),
        compressed("reserved bit 3 alone", [ClientFrame(opcode: 2, rsv: 1, hello)], 1002),
        compressed("a compressed ping", [ClientFrame(opcode: 9, rsv: 4, hello)], 1002),
        compressed("a compressed pong", [ClientFrame(opcode: 10, rsv: 4, hello)], 1002),
        compressed("a compressed Close", [ClientFrame(opcode: 8, rsv: 4, hello)], 1002),
        compressed(
            "a compressed continuation",
            [ClientFrame(opcode: 1, rsv: 4, fin: false, hello), ClientFrame(opcode: 0, rsv: 4, hello)], 1002),
        compressed(
            "a continuation that alone is compressed",
            [ClientFrame(opcode: 1, fin: false, [0x61]), ClientFrame(opcode: 0, rsv: 4, hello)], 1002),
        compressed("a compressed frame of opcode 3", [ClientFrame(opcode: 3, rsv: 4, hello)], 1002),
    ]

    private static let corrupt: [HostileStream] = [
        compressed("a block of a type that does not exist", [ClientFrame(opcode: 2, rsv: 4, [0x06])], 1007),
        compressed("noise", [ClientFrame(opcode: 2, rsv: 4, Array(repeating: 0xFF, count: 100))], 1007),
        compressed(
            "a stored block that lies about its length", [ClientFrame(opcode: 2, rsv: 4, [0, 5, 0, 5, 0])], 1007),
        compressed("a stored block cut off", [ClientFrame(opcode: 2, rsv: 4, [0, 9, 0, 0xF6, 0xFF, 0x61])], 1007),
        compressed("a text cut off", [ClientFrame(opcode: 1, rsv: 4, Array(hello.prefix(3)))], 1007),
        compressed(
            "a reference to what was never sent", [ClientFrame(opcode: 2, rsv: 4, [0xF2, 0x00, 0x11, 0x00, 0x00])], 1007
        ),
        compressed("a text that is not UTF-8", [ClientFrame(opcode: 1, rsv: 4, stored([0xC3, 0x28]))], 1007),
        compressed(
            "a text that ends in half a character", [ClientFrame(opcode: 1, rsv: 4, stored([0xE2, 0x82]))], 1007),
        compressed(
            "noise in fragments",
            [
                ClientFrame(opcode: 2, rsv: 4, fin: false, [0xFF]), ClientFrame(opcode: 0, fin: false, [0xFF]),
                ClientFrame(opcode: 0, [0xFF]),
            ], 1007),
        compressed("a plain text that is not UTF-8", [ClientFrame(opcode: 1, [0xFF])], 1007),
    ]

    private static let tooMuch: [HostileStream] = [
        compressed(
            "2 KiB that inflate to more than the limit", [ClientFrame(opcode: 2, rsv: 4, bomb(matches: 4100))], 1009),
        compressed("64 KiB that inflate to 10 MiB", [ClientFrame(opcode: 1, rsv: 4, bomb(matches: 40_000))], 1009),
        compressed(
            "a bomb in fragments",
            [
                ClientFrame(opcode: 2, rsv: 4, fin: false, Array(bomb(matches: 9000).prefix(5000))),
                ClientFrame(opcode: 0, Array(bomb(matches: 9000).dropFirst(5000))),
            ], 1009),
    ]

    /// "Hello", as RFC 7692, 7.2.3.1, has it.
    private static let hello: [UInt8] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]

    /// Bytes in a stored block, and the head of the empty one whose rest a sender leaves out.
    private static func stored(_ bytes: [UInt8]) -> [UInt8] {
        [0, UInt8(bytes.count), 0, ~UInt8(bytes.count), 0xFF] + bytes + [0]
    }

    /// A block of fixed codes: a zero, and then 258 more of them for every match, 13 bits each (RFC 1951, 3.2.6).
    private static func bomb(matches: Int) -> [UInt8] {
        var bits: [Bool] = [false, true, false] + "00110000".map { $0 == "1" }
        for _ in 0..<matches { bits += "1100010100000".map { $0 == "1" } }
        bits += Array(repeating: false, count: 7 + 3)
        return stride(from: 0, to: bits.count, by: 8).map { start in
            bits[start...].prefix(8).enumerated().reduce(0) { $1.element ? $0 | 1 << UInt8($1.offset) : $0 }
        }
    }

    private static func offer(_ rule: String, _ value: String) -> HostileStream {
        let text = WebSocketClient.request(path: "/echo", host: "h", headers: [("Sec-WebSocket-Extensions", value)])
        return .request(rule, text, .status(400))
    }

    private static func compressed(_ rule: String, _ frames: [ClientFrame], _ code: UInt16) -> HostileStream {
        var row = HostileStream.frames("compression: " + rule, frames, .close(code))
        row.offer = "permessage-deflate"
        return row
    }
}

extension ClientFrame {
    fileprivate init(opcode: UInt8, rsv: UInt8 = 0, fin: Bool = true, _ payload: [UInt8] = []) {
        self.init(opcode: opcode, payload: payload)
        self.rsv = rsv
        self.fin = fin
    }
}

// The rules of RFC 6455, sections 5, 7 and 8.1, for a client's bytes: one row each, with a stream and its events.

import Testing
import WebSocket

struct ConformanceRow: CustomTestStringConvertible, Sendable {
    let rule: String
    let stream: [UInt8]
    let events: [RecordedEvent]
    let maxMessage: Int

    init(_ rule: String, _ frames: [UInt8]..., gives events: [RecordedEvent], maxMessage: Int = 1 << 20) {
        self.rule = rule
        self.stream = frames.flatMap { $0 }
        self.events = events
        self.maxMessage = maxMessage
    }

    var testDescription: String { rule }
}

enum ConformanceTable {
    static let rows = messages + fragments + control + closing + headers + lengths + text + limits

    private static func ramp(_ count: Int) -> [UInt8] { (0..<count).map { UInt8($0 & 0xFF) } }
    private static let euro: [UInt8] = [0xE2, 0x82, 0xAC]

    private static let messages = [
        ConformanceRow(
            "5.7: a masked text message", [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58],
            gives: [.text("Hello")]),
        ConformanceRow("5.6: an empty text message", ClientFrame.text(""), gives: [.text("")]),
        ConformanceRow("5.6: an empty binary message", ClientFrame.binary([]), gives: [.binary([])]),
        ConformanceRow("5.6: binary of any bytes", ClientFrame.binary(ramp(256)), gives: [.binary(ramp(256))]),
        ConformanceRow("5.6: text beyond ASCII", ClientFrame.text("κόσμε 🎉"), gives: [.text("κόσμε 🎉")]),
        ConformanceRow(
            "5.3: a key of zeros", ClientFrame(opcode: 2, payload: ramp(9), key: [0, 0, 0, 0]).bytes,
            gives: [.binary(ramp(9))]),
        ConformanceRow(
            "5.2: several messages in one input", ClientFrame.text("a"), ClientFrame.binary([1]), ClientFrame.text("b"),
            gives: [.text("a"), .binary([1]), .text("b")]),
    ]

    private static let fragments = [
        ConformanceRow(
            "5.4: a message of two fragments", ClientFrame.text("Hel", fin: false),
            ClientFrame.continuation(Array("lo".utf8), fin: true), gives: [.text("Hello")]),
        ConformanceRow(
            "5.4: fragments of nothing", ClientFrame.text("", fin: false), ClientFrame.continuation([], fin: false),
            ClientFrame.continuation([], fin: true), gives: [.text("")]),
        ConformanceRow(
            "5.4: only the last fragment has bytes", ClientFrame.binary([], fin: false),
            ClientFrame.continuation([7], fin: true), gives: [.binary([7])]),
        ConformanceRow(
            "5.4: control frames between fragments", ClientFrame.text("a", fin: false), ClientFrame.ping([1]),
            ClientFrame.continuation(Array("b".utf8), fin: false), ClientFrame.pong([2]),
            ClientFrame.continuation(Array("c".utf8), fin: true), gives: [.ping([1]), .pong([2]), .text("abc")]),
        ConformanceRow(
            "5.4: messages after a fragmented one", ClientFrame.text("a", fin: false),
            ClientFrame.continuation([], fin: true), ClientFrame.text("b"), gives: [.text("a"), .text("b")]),
        ConformanceRow(
            "5.4: a continuation of nothing", ClientFrame.continuation([1], fin: true),
            gives: [.failure(.unexpectedContinuation)]),
        ConformanceRow(
            "5.4: a continuation that opens", ClientFrame.continuation([1], fin: false),
            gives: [.failure(.unexpectedContinuation)]),
        ConformanceRow(
            "5.4: a continuation after a whole message", ClientFrame.text("a"),
            ClientFrame.continuation([1], fin: true),
            gives: [.text("a"), .failure(.unexpectedContinuation)]),
        ConformanceRow(
            "5.4: text within a message", ClientFrame.text("a", fin: false), ClientFrame.text("b"),
            gives: [.failure(.expectedContinuation)]),
        ConformanceRow(
            "5.4: binary within a message", ClientFrame.binary([1], fin: false), ClientFrame.binary([2], fin: false),
            gives: [.failure(.expectedContinuation)]),
    ]

    private static let control = [
        ConformanceRow("5.5.2: a ping without payload", ClientFrame.ping(), gives: [.ping([])]),
        ConformanceRow("5.5.2: a ping of 125 bytes", ClientFrame.ping(ramp(125)), gives: [.ping(ramp(125))]),
        ConformanceRow("5.5.3: a pong that was not asked for", ClientFrame.pong([1, 2]), gives: [.pong([1, 2])]),
        ConformanceRow(
            "5.5: a ping of 126 bytes", ClientFrame.ping(ramp(126)), gives: [.failure(.controlTooLong)]),
        ConformanceRow(
            "5.5: a pong with a length of eight bytes",
            ClientFrame(opcode: 10, payload: [1], lengthForm: .eightBytes).bytes, gives: [.failure(.controlTooLong)]),
        ConformanceRow(
            "5.5: a Close of 126 bytes", ClientFrame.close(1000, String(repeating: "a", count: 124)),
            gives: [.failure(.controlTooLong)]),
        ConformanceRow(
            "5.5: a ping in fragments", ClientFrame(opcode: 9, fin: false).bytes,
            gives: [.failure(.fragmentedControl)]),
        ConformanceRow(
            "5.5: a pong in fragments", ClientFrame(opcode: 10, fin: false).bytes,
            gives: [.failure(.fragmentedControl)]),
        ConformanceRow(
            "5.5: a Close in fragments", ClientFrame(opcode: 8, fin: false).bytes,
            gives: [.failure(.fragmentedControl)]),
        ConformanceRow(
            "5.5: control frames are not limited by the message limit", ClientFrame.ping(ramp(20)),
            gives: [.ping(ramp(20))], maxMessage: 10),
    ]

    private static let closing =
        [
            ConformanceRow("5.5.1: a Close without a body", ClientFrame.close(), gives: [.close(nil, [])]),
            ConformanceRow("5.5.1: a Close with a code", ClientFrame.close(1000), gives: [.close(1000, "")]),
            ConformanceRow(
                "5.5.1: a Close with a reason", ClientFrame.close(1001, "bye €"), gives: [.close(1001, "bye €")]),
            ConformanceRow(
                "5.5.1: a Close with the longest reason", ClientFrame.close(4000, String(repeating: "a", count: 123)),
                gives: [.close(4000, String(repeating: "a", count: 123))]),
            ConformanceRow(
                "5.5.1: half a code", ClientFrame.close([3]), gives: [.failure(.closePayloadOfOneByte)]),
            ConformanceRow(
                "5.5.1: a reason that is not UTF-8", ClientFrame.close([3, 0xE8, 0xFF]),
                gives: [.failure(.invalidCloseReason)]),
            ConformanceRow(
                "5.5.1: a reason that ends within a character", ClientFrame.close([3, 0xE8, 0xE2, 0x82]),
                gives: [.failure(.invalidCloseReason)]),
            ConformanceRow(
                "5.5.1: nothing is read after a Close", ClientFrame.close(1000), ClientFrame.text("late"),
                [0xFF, 0xFF],
                gives: [.close(1000, "")]),
            ConformanceRow(
                "5.5.1: a Close within a message", ClientFrame.text("a", fin: false), ClientFrame.close(1000),
                ClientFrame.continuation([], fin: true), gives: [.close(1000, "")]),
            ConformanceRow(
                "7.1.7: nothing is read after a failure", ClientFrame.continuation([], fin: true),
                ClientFrame.text("a"),
                gives: [.failure(.unexpectedContinuation)]),
        ]
        + [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999].map { code in
            ConformanceRow("7.4: code \(code) may be sent", ClientFrame.close(code), gives: [.close(code, "")])
        }
        + [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535].map { code in
            ConformanceRow(
                "7.4: code \(code) must not be sent", ClientFrame.close(code), gives: [.failure(.invalidCloseCode)])
        }

    private static let headers =
        [
            ConformanceRow(
                "5.1: a text frame without a mask",
                ClientFrame(opcode: 1, payload: [65], isMasked: false).bytes, gives: [.failure(.maskMissing)]),
            ConformanceRow(
                "5.1: a ping without a mask", ClientFrame(opcode: 9, isMasked: false).bytes,
                gives: [.failure(.maskMissing)]),
            ConformanceRow(
                "5.2: reserved bits after a good message", ClientFrame.text("a"), ClientFrame(opcode: 1, rsv: 4).bytes,
                gives: [.text("a"), .failure(.reservedBits)]),
            ConformanceRow(
                "5.2: reserved bits in a control frame", ClientFrame(opcode: 9, rsv: 1).bytes,
                gives: [.failure(.reservedBits)]),
        ]
        + (1...7).map { bits in
            ConformanceRow(
                "5.2: reserved bits \(bits)", ClientFrame(opcode: 2, rsv: UInt8(bits)).bytes,
                gives: [.failure(.reservedBits)])
        }
        + ([3, 4, 5, 6, 7, 11, 12, 13, 14, 15] as [UInt8]).map { opcode in
            ConformanceRow(
                "5.2: opcode \(opcode)", ClientFrame(opcode: opcode).bytes, gives: [.failure(.unknownOpcode)])
        }

    private static let lengths =
        [125, 126, 127, 128, 300].map { count in
            ConformanceRow("5.2: \(count) bytes", ClientFrame.binary(ramp(count)), gives: [.binary(ramp(count))])
        }
        + [0, 1, 125].map { count in
            ConformanceRow(
                "5.2: \(count) in a length of two bytes",
                ClientFrame(opcode: 2, payload: ramp(count), lengthForm: .twoBytes).bytes,
                gives: [.failure(.lengthNotMinimal)])
        }
        + [0, 125, 126, 65535].map { count in
            ConformanceRow(
                "5.2: \(count) in a length of eight bytes",
                ClientFrame(opcode: 2, lengthForm: .eightBytes, declared: UInt64(count)).bytes,
                gives: [.failure(.lengthNotMinimal)])
        }
        + [
            ConformanceRow(
                "5.2: the highest bit of a length", ClientFrame(opcode: 2, declared: 1 << 63).bytes,
                gives: [.failure(.lengthTooLarge)]),
            ConformanceRow(
                "5.2: all bits of a length", ClientFrame(opcode: 2, declared: .max).bytes,
                gives: [.failure(.lengthTooLarge)]),
        ]

    private static let text = [
        ConformanceRow(
            "8.1: a character over two fragments", ClientFrame.text(Array(euro[..<1]), fin: false),
            ClientFrame.continuation(Array(euro[1...]), fin: true), gives: [.text("€")]),
        ConformanceRow(
            "8.1: a ping within a character", ClientFrame.text(Array(euro[..<2]), fin: false), ClientFrame.ping([0xFF]),
            ClientFrame.continuation(Array(euro[2...]), fin: true), gives: [.ping([0xFF]), .text("€")]),
        ConformanceRow(
            "8.1: text that ends within a character", ClientFrame.text(Array(euro[..<2])),
            gives: [.failure(.invalidText)]),
        ConformanceRow(
            "8.1: fragments that end within a character", ClientFrame.text(euro, fin: false),
            ClientFrame.continuation(Array(euro[..<1]), fin: true), gives: [.failure(.invalidText)]),
        ConformanceRow("8.1: an overlong slash", ClientFrame.text([0xC0, 0xAF]), gives: [.failure(.invalidText)]),
        ConformanceRow("8.1: a surrogate", ClientFrame.text([0xED, 0xA0, 0x80]), gives: [.failure(.invalidText)]),
        ConformanceRow(
            "8.1: beyond Unicode", ClientFrame.text([0xF4, 0x90, 0x80, 0x80]), gives: [.failure(.invalidText)]),
        ConformanceRow(
            "8.1: a bad fragment fails before the message ends", ClientFrame.text([0x61, 0xFF], fin: false),
            gives: [.failure(.invalidText)]),
        ConformanceRow(
            "8.1: a bad byte fails before its frame ends",
            Array(ClientFrame.text([0x61, 0xFF] + Array(repeating: 0x61, count: 50)).prefix(8)),
            gives: [.failure(.invalidText)]),
        ConformanceRow(
            "8.1: text is checked anew in each message", ClientFrame.text("€"), ClientFrame.text([0x82]),
            gives: [.text("€"), .failure(.invalidText)]),
        ConformanceRow("8.1: binary is not checked", ClientFrame.binary([0xFF]), gives: [.binary([0xFF])]),
    ]

    private static let limits = [
        ConformanceRow(
            "a message of the limit", ClientFrame.text("0123456789"), gives: [.text("0123456789")], maxMessage: 10),
        ConformanceRow(
            "a message over the limit", ClientFrame.text("0123456789a"), gives: [.failure(.messageTooBig)],
            maxMessage: 10),
        ConformanceRow(
            "a declared length over the limit", ClientFrame(opcode: 2, declared: 1 << 40).bytes,
            gives: [.failure(.messageTooBig)]),
        ConformanceRow(
            "the greatest length that can be declared", ClientFrame(opcode: 2, declared: UInt64(Int.max)).bytes,
            gives: [.failure(.messageTooBig)]),
        ConformanceRow(
            "fragments of the limit together", ClientFrame.text("01234", fin: false),
            ClientFrame.continuation(Array("56789".utf8), fin: true), gives: [.text("0123456789")], maxMessage: 10),
        ConformanceRow(
            "fragments over the limit together", ClientFrame.text("01234", fin: false),
            ClientFrame.continuation(Array("56789a".utf8), fin: true), gives: [.failure(.messageTooBig)],
            maxMessage: 10),
        ConformanceRow(
            "a further fragment that declares the greatest length", ClientFrame.binary([1], fin: false),
            ClientFrame(opcode: 0, declared: UInt64(Int.max)).bytes, gives: [.failure(.messageTooBig)], maxMessage: .max
        ),
        ConformanceRow("a limit of zero", ClientFrame.binary([]), gives: [.binary([])], maxMessage: 0),
    ]
}

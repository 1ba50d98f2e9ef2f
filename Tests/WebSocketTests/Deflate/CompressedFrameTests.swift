// RSV1 in the decoder: where it is allowed, and compressed messages before they are inflated.

import Testing
import WebSocket

@Suite(.bounded) struct CompressedFrameTests {
    private static let rows = [
        ConformanceRow(
            "a compressed text in one frame", frame(1, [1, 2]), gives: [.compressed([1, 2], binary: false)]),
        ConformanceRow("a compressed binary in one frame", frame(2, [1]), gives: [.compressed([1], binary: true)]),
        ConformanceRow("an empty compressed frame", frame(1, []), gives: [.compressed([], binary: false)]),
        ConformanceRow(
            "plain and compressed messages in turn", ClientFrame.text("a"), frame(1, [0xFF]), ClientFrame.text("b"),
            gives: [.text("a"), .compressed([0xFF], binary: false), .text("b")]),
        ConformanceRow(
            "fragments of which the first has RSV1", frame(1, [1], fin: false),
            ClientFrame.continuation([2], fin: false), ClientFrame.ping([9]), ClientFrame.continuation([3], fin: true),
            gives: [.ping([9]), .compressed([1, 2, 3], binary: false)]),
        ConformanceRow(
            "a compressed message in fragments, then a plain one in fragments", frame(2, [1], fin: false),
            ClientFrame.continuation([2], fin: true), ClientFrame.text("a", fin: false),
            ClientFrame.continuation([0x62], fin: true), gives: [.compressed([1, 2], binary: true), .text("ab")]),
        ConformanceRow(
            "RSV1 on a continuation", ClientFrame.text("a", fin: false), frame(0, [1]),
            gives: [.failure(.reservedBits)]),
        ConformanceRow(
            "RSV1 on the continuation of a compressed message", frame(1, [1], fin: false), frame(0, [1]),
            gives: [.failure(.reservedBits)]),
        ConformanceRow("RSV1 on a ping", frame(9, []), gives: [.failure(.reservedBits)]),
        ConformanceRow("RSV1 on a pong", frame(10, []), gives: [.failure(.reservedBits)]),
        ConformanceRow("RSV1 on a close", frame(8, []), gives: [.failure(.reservedBits)]),
        ConformanceRow("RSV1 on an unknown opcode", frame(3, []), gives: [.failure(.reservedBits)]),
        ConformanceRow("RSV2", frame(1, [], rsv: 2), gives: [.failure(.reservedBits)]),
        ConformanceRow("RSV3", frame(1, [], rsv: 1), gives: [.failure(.reservedBits)]),
        ConformanceRow("RSV1 and RSV2", frame(1, [], rsv: 6), gives: [.failure(.reservedBits)]),
        ConformanceRow("RSV1 and RSV3", frame(2, [], rsv: 5), gives: [.failure(.reservedBits)]),
        ConformanceRow(
            "compressed bytes at the limit", frame(2, Array(repeating: 0, count: 8)),
            gives: [.compressed(Array(repeating: 0, count: 8), binary: true)], maxMessage: 8),
        ConformanceRow(
            "compressed bytes beyond the limit", frame(2, Array(repeating: 0, count: 9)),
            gives: [.failure(.messageTooBig)], maxMessage: 8),
        ConformanceRow(
            "compressed fragments beyond the limit", frame(2, Array(repeating: 0, count: 8), fin: false),
            ClientFrame.continuation([1], fin: true), gives: [.failure(.messageTooBig)], maxMessage: 8),
    ]

    @Test("follows RFC 7692, 6, on every split of the stream", arguments: rows)
    func follows(_ row: ConformanceRow) {
        #expect(decode(row.stream, maxMessage: row.maxMessage, compression: true) == row.events)
        let everywhere = Array(0..<row.stream.count)
        #expect(decode(row.stream, cuts: everywhere, maxMessage: row.maxMessage, compression: true) == row.events)
        let failing = (0...row.stream.count).filter {
            decode(row.stream, cuts: [$0], maxMessage: row.maxMessage, compression: true) != row.events
        }
        #expect(failing == [])
    }

    @Test("refuses RSV1 where compression was not negotiated", arguments: [1, 2] as [UInt8])
    func notAgreedOn(_ opcode: UInt8) {
        #expect(decode(Self.frame(opcode, [1, 2])) == [.failure(.reservedBits)])
    }

    @Test("allocates an assembly only for a compressed message in pieces")
    func memory() {
        var decoder = MessageDecoder(compression: true)
        let stream = Self.frame(1, [1, 2, 3])
        #expect(feed(stream[...], to: &decoder, maxMessage: 100) == [.compressed([1, 2, 3], binary: false)])
        #expect(decoder.isIdle)
        _ = feed(stream[..<7], to: &decoder, maxMessage: 100)
        #expect(!decoder.isIdle)
        #expect(feed(stream[7...], to: &decoder, maxMessage: 100) == [.compressed([1, 2, 3], binary: false)])
    }

    private static func frame(_ opcode: UInt8, _ payload: [UInt8], fin: Bool = true, rsv: UInt8 = 4) -> [UInt8] {
        ClientFrame(opcode: opcode, payload: payload, fin: fin, rsv: rsv).bytes
    }
}

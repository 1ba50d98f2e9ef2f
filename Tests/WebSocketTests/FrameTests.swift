// Encoded frames and how they are shared.

import Testing
import WebSocket

@Suite(.bounded) struct FrameTests {
    @Test("holds header and payload as they go on the wire", arguments: [0, 1, 125, 126, 65535, 65536])
    func layout(_ count: Int) {
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        let frame = Frame.binary(payload)
        let header = [UInt8](unsafeUninitializedCapacity: 10) { bytes, written in
            written = FrameHeader.write(opcode: .binary, payload: count, to: bytes.baseAddress!)
        }
        #expect(frame.withUnsafeBytes { Array($0) } == header + payload)
        #expect(frame.count == header.count + count)
        #expect(frame.payloadCount == count)
        #expect(withExtendedLifetime(frame) { Array(frame.payload) } == payload)
    }

    @Test("encodes text as UTF-8")
    func text() {
        #expect(wire(.text("é")) == [0x81, 2, 0xC3, 0xA9])
    }

    @Test("encodes pings and pongs with their payload")
    func pingPong() {
        let payload: [UInt8] = [1, 2]
        #expect(wire(payload.withUnsafeBytes { .ping($0) }) == [0x89, 2, 1, 2])
        #expect(wire(payload.withUnsafeBytes { .pong($0) }) == [0x8A, 2, 1, 2])
        #expect(wire(.ping()) == [0x89, 0])
    }

    @Test("encodes a close code and its reason")
    func close() {
        #expect(wire(.close(.normal)) == [0x88, 2, 0x03, 0xE8])
        #expect(wire(.close(.goingAway, reason: "bye")) == [0x88, 5, 0x03, 0xE9, 0x62, 0x79, 0x65])
        #expect(wire(.close(for: .slowConsumer)) == [0x88, 15, 0x03, 0xF5] + Array("slow consumer".utf8))
    }

    @Test(
        "sends no body for a code that must not be sent", arguments: [.noStatus, .abnormal, CloseCode(rawValue: 999)])
    func unsendable(_ code: CloseCode) {
        #expect(wire(.close(code, reason: "why")) == [0x88, 0])
    }

    @Test("cuts a close reason at the end of a character")
    func longReason() {
        let exact = String(repeating: "a", count: 123)
        #expect(wire(.close(.normal, reason: exact + "b")).suffix(from: 4) == Array(exact.utf8)[...].suffix(123))
        let wide = wire(.close(.normal, reason: String(repeating: "é", count: 70)))
        #expect(wide.count == 2 + 2 + 122)
        #expect(isUTF8(wide[4...]))
    }

    @Test("shares a frame instead of copying it")
    func sharing() {
        let frame = Frame.text("news")
        let subscribers = Array(repeating: frame, count: 3)
        #expect(subscribers.allSatisfy { $0 === frame && $0.bytes.baseAddress == frame.bytes.baseAddress })
        #expect(!(Frame.text("news") === frame))
    }

    private func wire(_ frame: Frame) -> [UInt8] {
        frame.withUnsafeBytes { Array($0) }
    }
}

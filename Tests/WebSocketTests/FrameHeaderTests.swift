// Writing of frame headers.

import Testing
import WebSocket

@Suite(.bounded) struct FrameHeaderTests {
    @Test(
        "writes a server's length in the fewest bytes",
        arguments: [
            (0, [0x82, 0]), (125, [0x82, 125]), (126, [0x82, 126, 0, 126]), (65535, [0x82, 126, 0xFF, 0xFF]),
            (65536, [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]), (1 << 40, [0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0]),
        ] as [(Int, [UInt8])])
    func lengths(_ payload: Int, _ bytes: [UInt8]) {
        #expect(written { FrameHeader.write(opcode: .binary, payload: payload, to: $0) } == bytes)
        #expect(FrameHeader.size(payload: payload) == bytes.count)
    }

    @Test("writes FIN only on the last frame of a message")
    func fin() {
        #expect(written { FrameHeader.write(opcode: .text, fin: false, payload: 1, to: $0) } == [0x01, 1])
        #expect(written { FrameHeader.write(opcode: .continuation, payload: 1, to: $0) } == [0x80, 1])
    }

    @Test("writes a client's key after the length")
    func masked() {
        let key = UInt32(littleEndian: 0x0403_0201)
        for (payload, head) in [(5, [0x81, 0x85]), (300, [0x81, 0xFE, 1, 44])] as [(Int, [UInt8])] {
            let bytes = written { FrameHeader.writeMasked(opcode: .text, payload: payload, key: key, to: $0) }
            #expect(bytes == head + [1, 2, 3, 4])
            #expect(FrameHeader.maskedSize(payload: payload) == bytes.count)
        }
    }

    @Test("writes client headers that the decoder reads", arguments: [0, 1, 125, 126, 65535, 65536])
    func roundTrip(_ count: Int) {
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let key: UInt32 = 0xDEAD_BEEF
        var masked = payload
        masked.withUnsafeMutableBytes { _ = Mask.apply($0, key: key) }
        let header = written { FrameHeader.writeMasked(opcode: .binary, payload: count, key: key, to: $0) }
        #expect(decode(header + masked) == [.binary(payload)])
    }

    /// The bytes that `write` writes. The rest of the fourteen bytes must stay unchanged.
    private func written(_ write: (UnsafeMutableRawPointer) -> Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xAA, count: FrameHeader.maxCount)
        let count = bytes.withUnsafeMutableBytes { write($0.baseAddress!) }
        #expect(bytes[count...].allSatisfy { $0 == 0xAA })
        return Array(bytes[..<count])
    }
}

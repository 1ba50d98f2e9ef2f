// Masking compared with a loop over single bytes.

import SeededGenerator
import Testing
import WebSocket

@Suite(.bounded) struct MaskTests {
    private let key: [UInt8] = [0x12, 0xB4, 0x56, 0xF8]

    @Test("equals a byte loop at every alignment, length and phase", arguments: 0..<4)
    func equalsByteLoop(_ phase: Int) {
        var generator = SeededGenerator(seed: 7)
        let source = generator.bytes(160)
        for alignment in 0..<16 {
            for count in 0...100 {
                let range = alignment..<alignment + count
                var expected = source
                for index in range { expected[index] ^= key[(phase + index - alignment) % 4] }
                let (bytes, _) = masked(source, range, phase: phase)
                #expect(bytes == expected, "alignment \(alignment), count \(count)")
            }
        }
    }

    @Test("restores the payload when applied again in pieces of any size")
    func restoresInPieces() {
        var generator = SeededGenerator(seed: 8)
        let payload = generator.bytes(333)
        var bytes = masked(payload, 0..<333, phase: 0).bytes
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + Int.random(in: 0...50, using: &generator))
            bytes = masked(bytes, start..<end, phase: start).bytes
            start = end
        }
        #expect(bytes == payload)
    }

    @Test("detects a byte that is not ASCII at any place")
    func detectsASCII() {
        for count in 0...70 {
            let ascii = masked([UInt8](repeating: 0x7F, count: count), 0..<count, phase: 0).bytes
            #expect(masked(ascii, 0..<count, phase: 0).isASCII)
            for index in 0..<count {
                var bytes = ascii
                bytes[index] ^= 0x80
                #expect(!masked(bytes, 0..<count, phase: 0).isASCII, "byte \(index) of \(count)")
            }
        }
    }

    private func masked(_ bytes: [UInt8], _ range: Range<Int>, phase: Int) -> (bytes: [UInt8], isASCII: Bool) {
        var bytes = bytes
        let key = key.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
        let isASCII = bytes.withUnsafeMutableBytes {
            Mask.apply(UnsafeMutableRawBufferPointer(rebasing: $0[range]), key: key, phase: phase)
        }
        return (bytes, isASCII)
    }
}

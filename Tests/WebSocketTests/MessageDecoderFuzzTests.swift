// The decoder compared with a reference, on random streams and on noise.

import SeededGenerator
import Testing
import WebSocket

@Suite(.bounded) struct MessageDecoderFuzzTests {
    @Test("agrees with the reference on random streams cut at random places", arguments: 0..<8)
    func randomStreams(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        for round in 0..<300 {
            let maxMessage = [0, 50, 300, 100_000].randomElement(using: &generator)!
            let stream = randomStream(&generator)
            let cuts = (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                Int.random(in: 0...stream.count, using: &generator)
            }
            var reference = ReferenceDecoder(stream, maxMessage: maxMessage)
            let expected = reference.events()
            let actual = decode(stream, cuts: cuts.sorted(), maxMessage: maxMessage)
            #expect(actual == expected, "seed \(seed), round \(round)")
        }
    }

    @Test("agrees with the reference on noise and keeps to the limit", arguments: 0..<4)
    func noise(_ seed: Int) {
        var generator = SeededGenerator(seed: 1000 + UInt64(seed))
        for round in 0..<600 {
            var stream = generator.bytes(Int.random(in: 0...200, using: &generator))
            // Noise alone fails at its first bytes; a plausible start lets it reach further.
            if stream.count > 2, !generator.oneIn(4) {
                stream[0] = [0x01, 0x02, 0x81, 0x82, 0x88, 0x89, 0x8A].randomElement(using: &generator)!
                stream[1] |= 0x80
            }
            var decoder = MessageDecoder()
            var events: [RecordedEvent] = []
            for byte in stream.indices {
                events += feed(stream[byte...byte], to: &decoder, maxMessage: 100)
                #expect(decoder.held <= 100 + FrameHeader.maxControlPayload)
            }
            var reference = ReferenceDecoder(stream, maxMessage: 100)
            #expect(events == reference.events(), "seed \(seed), round \(round)")
        }
    }

    /// A stream of frames, most of them valid; one in a hundred breaks some rule.
    private func randomStream(_ generator: inout SeededGenerator) -> [UInt8] {
        var stream: [UInt8] = []
        var isOpen = false
        for _ in 0..<Int.random(in: 1...12, using: &generator) {
            if generator.oneIn(4) {
                stream += randomControl(&generator)
                continue
            }
            let fin = !generator.oneIn(3)
            let opcode: UInt8 = isOpen ? 0 : generator.oneIn(2) ? 1 : 2
            var frame = ClientFrame(opcode: opcode, payload: randomText(&generator), fin: fin)
            frame.key = generator.bytes(4)
            if generator.oneIn(100) { frame.rsv = 4 }
            if generator.oneIn(100) { frame.opcode = UInt8.random(in: 0...15, using: &generator) }
            if generator.oneIn(100) { frame.isMasked = false }
            if generator.oneIn(100) { frame.lengthForm = .twoBytes }
            if generator.oneIn(100) { frame.payload = generator.bytes(20) }
            stream += frame.bytes
            isOpen = !fin
        }
        return generator.oneIn(4) ? stream.dropLast(Int.random(in: 0...stream.count, using: &generator)) : stream
    }

    private func randomControl(_ generator: inout SeededGenerator) -> [UInt8] {
        if generator.oneIn(8) {
            return ClientFrame.close(UInt16.random(in: 990...1020, using: &generator), "bye")
        }
        let count = [0, 1, 5, 124, 125].randomElement(using: &generator)!
        return ClientFrame(opcode: generator.oneIn(2) ? 9 : 10, payload: generator.bytes(count)).bytes
    }

    /// Text of one-, two-, three- and four-byte characters, sometimes cut within one.
    private func randomText(_ generator: inout SeededGenerator) -> [UInt8] {
        let count = [0, 1, 2, 7, 40, 100, 200].randomElement(using: &generator)!
        var text = ""
        for _ in 0..<count {
            text += ["a", "b", " ", "é", "€", "🎉"].randomElement(using: &generator)!
        }
        let bytes = Array(text.utf8)
        return generator.oneIn(30) ? bytes.dropLast() : bytes
    }
}

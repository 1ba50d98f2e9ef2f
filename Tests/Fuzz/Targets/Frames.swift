// A client's bytes after its handshake: the decoder agrees with the reference of the unit tests on any split of the stream, and
// never holds more than the limit. With compression agreed on, of which the reference knows nothing, it agrees with itself.

import WebSocket

@Sendable func checkFrames(_ input: [UInt8]) {
    var generator = generator(for: input)
    for maxMessage in [100_000, Int.random(in: 0...200, using: &generator)] {
        var reference = ReferenceDecoder(input, maxMessage: maxMessage)
        let expected = reference.events()
        if case .failure? = expected.first {} else if !expected.isEmpty { taken() }
        expect(events([input], maxMessage) == expected, "frames are read as RFC 6455 has them, limit \(maxMessage)")
        let cut = pieces(of: input, &generator)
        let compressed = events([input], maxMessage, compression: true)
        expect(events(cut, maxMessage, compression: true) == compressed, "compressed frames are read alike in pieces")
        expect(events(cut, maxMessage) == expected, "and alike in pieces \(cut.map(\.count)), limit \(maxMessage)")
        if input.count <= 300 {
            expect(events(input.map { [$0] }, maxMessage) == expected, "and byte by byte, limit \(maxMessage)")
        }
    }
}

private func events(_ pieces: [[UInt8]], _ maxMessage: Int, compression: Bool = false) -> [RecordedEvent] {
    var decoder = MessageDecoder(compression: compression)
    var events: [RecordedEvent] = []
    for piece in pieces {
        events += feed(piece[...], to: &decoder, maxMessage: maxMessage)
        expect(decoder.held <= maxMessage + FrameHeader.maxControlPayload, "no more is held than the limit")
    }
    return events
}

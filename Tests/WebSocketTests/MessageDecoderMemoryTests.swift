// The memory of a decoder over time; the limit of fragments.

import Testing
import WebSocket

@Suite(.bounded) struct MessageDecoderMemoryTests {
    @Test("takes at most 24 bytes in a connection")
    func size() {
        #expect(MemoryLayout<MessageDecoder>.stride <= 24)
    }

    @Test("returns a whole message as a view of the input")
    func viewOfInput() {
        var stream = ClientFrame.binary([1, 2, 3]) + ClientFrame.ping([4])
        stream.withUnsafeMutableBytes { bytes in
            var decoder = MessageDecoder()
            var input = bytes
            guard case .message(let payload, binary: true) = decoder.next(&input, maxMessage: 10) else {
                Issue.record("no message")
                return
            }
            #expect(payload.baseAddress == UnsafeRawPointer(bytes.baseAddress! + 6))
            #expect(input.count == 7)
            #expect(decoder.isIdle)
        }
    }

    @Test("allocates for the bytes that arrived, not for the declared length")
    func growsWithArrival() {
        var decoder = MessageDecoder()
        let start = Array(ClientFrame(opcode: 2, payload: Array(repeating: 1, count: 1000), declared: 1 << 20).bytes)
        _ = feed(start[...], to: &decoder, maxMessage: 1 << 20)
        #expect(decoder.held == 1000)
        _ = feed([0], to: &decoder, maxMessage: 1 << 20)
        #expect(decoder.held == 2000)
    }

    @Test("accepts as many fragments as the limit and refuses one more")
    func fragments() {
        let whole =
            ClientFrame.text("a", fin: false) + ClientFrame.continuation([0x62], fin: false) + ClientFrame.ping([])
            + ClientFrame.continuation([0x63], fin: true)
        for cut in 0...whole.count {
            var decoder = MessageDecoder()
            let events = [whole[..<cut], whole[cut...]].flatMap {
                feed($0, to: &decoder, maxMessage: 100, maxFragments: 3)
            }
            #expect(events == [.ping([]), .text("abc")])
            var strict = MessageDecoder()
            let refused = [whole[..<cut], whole[cut...]].flatMap {
                feed($0, to: &strict, maxMessage: 100, maxFragments: 2)
            }
            #expect(refused == [.ping([]), .failure(.tooManyFragments)])
        }
    }

    @Test("counts the fragments of each message anew, including empty ones")
    func fragmentsOfEach() {
        var decoder = MessageDecoder()
        let message = ClientFrame.text("", fin: false) + ClientFrame.continuation([], fin: true)
        let stream = message + message + ClientFrame.text("whole") + message
        let events = feed(stream[...], to: &decoder, maxMessage: 100, maxFragments: 2)
        #expect(events == [.text(""), .text(""), .text("whole"), .text("")])
        var strict = MessageDecoder()
        #expect(
            feed(stream[...], to: &strict, maxMessage: 100, maxFragments: 1) == [.failure(.tooManyFragments)])
    }

    @Test("never holds more than the message limit, however small the fragments")
    func staysWithinLimit() {
        var decoder = MessageDecoder()
        _ = feed(ClientFrame.binary([0], fin: false)[...], to: &decoder, maxMessage: 1500)
        for _ in 0..<1499 {
            _ = feed(ClientFrame.continuation([0], fin: false)[...], to: &decoder, maxMessage: 1500)
            #expect(decoder.held <= 1500)
        }
        #expect(decoder.held == 1500)
        let last = feed(ClientFrame.continuation([0], fin: true)[...], to: &decoder, maxMessage: 1500)
        #expect(last == [.failure(.messageTooBig)])
        #expect(decoder.held == 0)
    }

    @Test("frees everything once the message is used")
    func givesBack() {
        let stream = ClientFrame.text("Hello, world", fin: false) + ClientFrame.continuation([0x21], fin: true)
        var decoder = MessageDecoder()
        let first = feed(stream[..<10], to: &decoder, maxMessage: 100)
        #expect(first == [])
        #expect(!decoder.isIdle)
        let second = feed(stream[10...], to: &decoder, maxMessage: 100)
        #expect(second == [.text("Hello, world!")])
        #expect(decoder.isIdle)
    }

    @Test("frees a half message when the client closes")
    func givesBackAtClose() {
        var decoder = MessageDecoder()
        let stream = ClientFrame.binary(Array(repeating: 0, count: 500), fin: false) + ClientFrame.close(1000)
        _ = feed(stream[...], to: &decoder, maxMessage: 1000)
        #expect(decoder.isIdle)
    }

    @Test("applies a limit that is lowered while a message is open")
    func loweredLimit() {
        var decoder = MessageDecoder()
        let first = feed(ClientFrame.binary([1, 2, 3], fin: false)[...], to: &decoder, maxMessage: 100)
        #expect(first == [])
        let second = feed(ClientFrame.continuation([], fin: true)[...], to: &decoder, maxMessage: 2)
        #expect(second == [.failure(.messageTooBig)])
    }
}

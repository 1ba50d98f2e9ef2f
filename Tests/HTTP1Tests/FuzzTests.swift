// Random damage to good requests. Most of them end in an error. The rules: nothing traps, no range leaves its input, the
// parser always makes progress, and the cuts make no difference. `Observation` checks each step.

import HTTP1
import SeededGenerator
import Testing

@Suite("Request fuzzing", .bounded)
struct FuzzTests {
    private static let limits = {
        var limits = HTTPLimits()
        limits.maxRequestLine = 60
        limits.maxHead = 160
        limits.maxFields = 5
        limits.maxBody = 24
        limits.maxChunkExtensions = 8
        return limits
    }()

    /// Pieces of grammar that do the most harm in the wrong place.
    private static let fragments = [
        "\r", "\n", "\r\n", "\r\n\r\n", " ", "\t", ":", ",", ";", "\0", "0", "f", "Content-Length: 3\r\n", "HTTP/1.1",
        "Transfer-Encoding: chunked\r\n", "Host: x\r\n", "0\r\n\r\n", "Connection: close\r\n", "%", "?", "[", "http://",
    ].map { Array($0.utf8) }

    @Test("reads damaged requests alike, whole and in pieces of any size", arguments: [1, 2, 3, 4] as [UInt64])
    func damagedRequests(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let seeds = GoodRequest.all.map { Array($0.text.utf8) }
        var taken = 0
        for round in 0..<1500 {
            var bytes = seeds.randomElement(using: &generator)! + seeds.randomElement(using: &generator)!
            for _ in 0..<Int.random(in: 0...4, using: &generator) { damage(&bytes, &generator) }
            let limits = round % 2 == 0 ? HTTPLimits() : Self.limits
            let whole = Observation([bytes], limits: limits)
            #expect(Observation(generator.pieces(bytes, longest: 20), limits: limits) == whole)
            #expect(Observation(Cuts.byteByByte(bytes), limits: limits) == whole)
            for request in whole.requests { checkReopening(request.head) }
            taken += whole.requests.count
        }
        #expect(taken >= 500)
    }

    @Test("reads noise without a trap", arguments: [5, 6] as [UInt64])
    func noise(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            let whole = Observation([bytes])
            #expect(Observation(Cuts.byteByByte(bytes)) == whole)
            _ = RequestHead(validated: bytes)
            _ = Percent.decode(String(decoding: bytes, as: UTF8.self))
            _ = QueryString(String(decoding: bytes, as: UTF8.self))
        }
    }

    @Test("decodes an encoded text to the same text", arguments: [7] as [UInt64])
    func percentRoundTrip(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<1000 {
            let bytes = (0..<10).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(Percent.decode(Percent.encode(text), plusAsSpace: true) == text)
        }
    }

    private func damage(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
        guard !bytes.isEmpty else { return }
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes.remove(at: place)
        case 2: bytes.insert(contentsOf: Self.fragments.randomElement(using: &generator)!, at: place)
        case 3: bytes.removeSubrange(place..<min(bytes.count, place + 9))
        default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 20)], at: place)
        }
    }

    private func checkReopening(_ head: RequestHead) {
        let reopened = RequestHead(validated: head.bytes)
        #expect(reopened?.body == head.body)
        #expect(reopened.map(GoodRequest.summary) == GoodRequest.summary(of: head))
    }
}

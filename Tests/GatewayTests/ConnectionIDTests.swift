// The text form of a connection's id.

import SeededGenerator
import Testing

@testable import Gateway

@Suite("ConnectionID", .bounded)
struct ConnectionIDTests {
    @Test("any id survives its text, which is 23 letters and digits")
    func roundTrip() throws {
        var random = SeededGenerator(seed: 5)
        var ids = [
            ConnectionID(node: 0, worker: 0, slot: 0, secret: 0),
            ConnectionID(node: .max, worker: .max, slot: 0xFF_FFFF, secret: .max),
        ]
        for _ in 0..<1000 {
            ids.append(
                ConnectionID(
                    node: .random(in: 0...(.max), using: &random), worker: .random(in: 0...255, using: &random),
                    slot: .random(in: 0...0xFF_FFFF, using: &random), secret: .random(in: 0...(.max), using: &random)))
        }
        for id in ids {
            #expect(id.text.utf8.count == 23)
            #expect(id.text.allSatisfy { $0.isASCII && ($0.isNumber || $0.isLowercase) })
            #expect(ConnectionID(id.text) == id)
        }
        #expect(Set(ids.map(\.text)).count == Set(ids).count)
    }

    @Test("refuses every text that is not one")
    func refuses() {
        let good = ConnectionID(node: 1, worker: 2, slot: 3, secret: 4).text
        var texts = ["", "x", String(good.dropLast()), good + "0", good.uppercased(), "ä" + good.dropFirst(2)]
        texts += ["i", "l", "o", "u", "-", " ", "z"].map { $0 + good.dropFirst() }
        texts.append(String(repeating: "\u{0}", count: 23))
        for text in texts {
            #expect(ConnectionID(text) == nil, "\(text)")
        }
    }

    @Test("any number survives its text in base 32, and no other text is one")
    func numbers() {
        var random = SeededGenerator(seed: 6)
        let numbers = [0, 1, UInt64.max] + (0..<1000).map { _ in UInt64.random(in: 0...(.max), using: &random) }
        for number in numbers { #expect(Base32.number(of: Base32.text(of: number)) == number) }
        let good = Base32.text(of: 1)
        for text in [
            "", "1", String(good.dropLast()), good + "0", "g000000000000", "zzzzzzzzzzzzz", "000000000000u",
            "000000000000A", "ä00000000000", String(repeating: "\u{0}", count: 13),
        ] {
            #expect(Base32.number(of: text) == nil, "\(text)")
        }
    }
}

// Base64, against an encoder that works bit by bit.

import JSON
import SeededGenerator
import Testing

@Suite("Base64", .bounded)
struct Base64Tests {
    /// And every length of padding.
    @Test("decodes the examples of RFC 4648, section 10")
    func decodes() {
        let rows = [
            ("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"), ("Zm9vYmE=", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ]
        for (text, plain) in rows { #expect(Base64.decode(text) == Array(plain.utf8), "\(text)") }
        #expect(Base64.decode("+/+/") == [0xFB, 0xFF, 0xBF])
    }

    @Test("refuses every text but the one padded form of some bytes")
    func refuses() {
        for text in [
            "Z", "Zg", "Zm9", "Zg=", "=", "==", "====", "Z===", "=Zg=", "Zg==Zg==", "Zm9v\n", " Zm9v", "Zm_-", "Zm9v=",
            "Zh==", "Zm9=", "Zm\u{0}v", "Zmä=", "Zm9vZ===", "Zg=A",
        ] {
            #expect(Base64.decode(text) == nil, "\(text)")
        }
    }

    @Test("encodes as RFC 4648 says and decodes to the same bytes")
    func roundTrip() throws {
        var random = SeededGenerator(seed: 3)
        for count in 0..<200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(Base64.encode(bytes) == encoded(bytes))
            #expect(Base64.decode(encoded(bytes)) == bytes)
        }
    }

    /// Bit by bit, as RFC 4648 draws it.
    private func encoded(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        let bits = bytes.flatMap { byte in (0..<8).map { byte >> (7 - $0) & 1 } }
        let groups = stride(from: 0, to: bits.count, by: 6).map { start in
            (0..<6).reduce(0) { $0 << 1 | Int(start + $1 < bits.count ? bits[start + $1] : 0) }
        }
        return String(groups.map { alphabet[$0] }) + String(repeating: "=", count: (4 - groups.count % 4) % 4)
    }
}

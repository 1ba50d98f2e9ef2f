// The small texts of the admin API: JSON out, Base64 in, and the names of connections.

import PerigeeTestKit
import Testing

@testable import Server

@Suite("JSONOutput")
struct JSONOutputTests {
    @Test("writes members of every kind in the order in which they are added")
    func kinds() throws {
        let output = JSONOutput.object { members in
            members.add("text", "a\"b\\c\n\u{0}\u{1F680}")
            members.add("absent", String?.none)
            members.add("number", UInt64.max)
            members.add("negative", -1)
            members.add("flag", true)
            members.add("texts", ["a", "\""])
            members.addJSON("raw", "[1.50]")
            members.member("object") {
                $0.add("x", 1); $0.member("empty") { _ in }
            }
            members.list("list", [1, 2]) { $1.add("n", $0) }
            members.list("none", [Int]()) { $1.add("n", $0) }
        }
        #expect(
            output.text == #"{"text":"a\"b\\c\n\u0000🚀","absent":null,"number":18446744073709551615,"negative":-1,"#
                + #""flag":true,"texts":["a","\""],"raw":[1.50],"object":{"x":1,"empty":{}},"#
                + #""list":[{"n":1},{"n":2}],"none":[]}"#)
        #expect(try JSON(parsing: output.text)["text"] == "a\"b\\c\n\u{0}\u{1F680}")
        #expect(JSONOutput.object { _ in }.text == "{}")
    }
}

@Suite("Base64 of messages")
struct Base64Tests {
    @Test("decodes the examples of RFC 4648, section 10, and every length of padding")
    func decodes() {
        let rows = [
            ("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"), ("Zm9vYmE=", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ]
        for (text, plain) in rows { #expect(Base64.decode(text) == Array(plain.utf8), "\(text)") }
        #expect(Base64.decode("+/+/") == [0xFB, 0xFF, 0xBF])
    }

    @Test("refuses everything that is not the one padded form of some bytes")
    func refuses() {
        for text in [
            "Z", "Zg", "Zm9", "Zg=", "=", "==", "====", "Z===", "=Zg=", "Zg==Zg==", "Zm9v\n", " Zm9v", "Zm_-", "Zm9v=",
            "Zh==", "Zm9=", "Zm\u{0}v", "Zmä=", "Zm9vZ===", "Zg=A",
        ] {
            #expect(Base64.decode(text) == nil, "\(text)")
        }
    }

    @Test("gives back any bytes that were encoded")
    func roundTrip() throws {
        var random = SeededRandom(seed: 3)
        for count in 0..<200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
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

@Suite("ConnectionID")
struct ConnectionIDTests {
    @Test("any id survives its text, which is 23 letters and digits")
    func roundTrip() throws {
        var random = SeededRandom(seed: 5)
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
}

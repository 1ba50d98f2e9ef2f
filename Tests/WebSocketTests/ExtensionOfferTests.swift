// The grammar of Sec-WebSocket-Extensions.

import SeededGenerator
import Testing

@testable import WebSocket

@Suite(.bounded) struct ExtensionOfferTests {
    @Test("reads extensions, parameters and values, in one field or in several")
    func reads() {
        #expect(read() == "")
        #expect(read("permessage-deflate") == "permessage-deflate")
        #expect(read("a, b;c, d;e=f;g") == "a|b;c|d;e=f;g")
        #expect(read("a", "b;c=1") == "a|b;c=1")
        #expect(read(" a\t;\tb = c ;d , e ") == "a;b=c;d|e")
        #expect(read("a;b;b=1;b") == "a;b;b=1;b")
        #expect(read("!#$%&'*+-.^_`|~09azAZ") == "!#$%&'*+-.^_`|~09azAZ")
    }

    @Test("ignores empty elements (RFC 9110, 5.6.1.2)")
    func emptyElements() {
        for empty in ["", " ", ",", " ,\t, ,"] { #expect(read(empty) == "") }
        #expect(read("a,") == "a" && read(",a") == "a" && read("a,,b") == "a|b" && read(", a;b ,\t,c,") == "a;b|c")
        #expect(read("", "a", ",") == "a")
    }

    @Test("reads a quoted value as the token in it")
    func quoted() {
        #expect(read(#"a;b="c""#) == "a;b=c")
        #expect(read(#"a; b = "10" ; c="d", e"#) == "a;b=10;c=d|e")
        #expect(read(#"a;b="\c\1""#) == "a;b=c1")
    }

    @Test(
        "refuses a text that is no list of extensions",
        arguments: [
            ";", "a;", "a;,b", ",;", "a,;", "a;;b", "a;=b", "a;b=", "a;b=,c", "a=b", "a b", "a;b c", "é",
            "a/b", #""a""#, #"a;"b""#, #"a;b=""#, #"a;b="c"#, #"a;b="""#, #"a;b="c d""#, #"a;b="c,d""#, #"a;b="c\"#,
            #"a;b="\"""#, #"a;b="c"d"#, #"a;b=c"d""#, "a;b=c=d", "a\0b", "a\r\nb",
        ])
    func refuses(_ field: String) {
        #expect(ExtensionOffer.read([field]) == nil)
        #expect(ExtensionOffer.read(["fine", field]) == nil)
    }

    @Test("refuses a handshake with a malformed offer, not with an unknown one")
    func handshake() {
        let name = "Sec-WebSocket-Extensions"
        let malformed = HandshakeRow("", adding: [(name, "a;")], gives: .refused(400))
        guard case .refuse(400, _, _) = Handshake.evaluate(malformed.request) else {
            Issue.record("not refused")
            return
        }
        let unknown = HandshakeRow("", adding: [(name, "x-webkit-something; a=1")], gives: .accepted([]))
        guard case .accept(let acceptance) = Handshake.evaluate(unknown.request) else {
            Issue.record("not accepted")
            return
        }
        #expect(acceptance.extensions.map(\.name) == ["x-webkit-something"])
    }

    @Test("never traps on noise and reads its own text back")
    func noise() {
        var generator = SeededGenerator(seed: 3)
        let alphabet = Array(#"ab1 ,;="\é"#)
        var taken = 0
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...24, using: &generator)
            let text = String((0..<count).map { _ in alphabet.randomElement(using: &generator)! })
            guard let offers = ExtensionOffer.read([text]) else { continue }
            taken += 1
            #expect(ExtensionOffer.read([Self.text(offers).split(separator: "|").joined(separator: ",")]) == offers)
        }
        #expect(taken >= 500)
    }

    private func read(_ fields: String...) -> String? {
        ExtensionOffer.read(fields).map(Self.text)
    }

    private static func text(_ offers: [ExtensionOffer]) -> String {
        offers.map { offer in
            ([offer.name] + offer.parameters.map { $0.name + ($0.value.map { "=" + $0 } ?? "") }).joined(separator: ";")
        }.joined(separator: "|")
    }
}

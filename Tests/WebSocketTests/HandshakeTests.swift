// The opening handshake, a row for each rule of RFC 6455, 4.2.

import Testing
import WebSocket

@Suite(.bounded) struct HandshakeTests {
    private static let key = "Sec-WebSocket-Key"
    private static let version = "Sec-WebSocket-Version"
    private static let subprotocol = "Sec-WebSocket-Protocol"
    private static let extensions = "Sec-WebSocket-Extensions"

    private static func names(_ count: Int) -> [String] { (1...count).map { "n\($0)" } }

    private static let requests = [
        HandshakeRow("a correct handshake", gives: .accepted([])),
        HandshakeRow("a handshake without Origin", without: ["Origin"], gives: .accepted([])),
        HandshakeRow("a later minor version", minorVersion: 2, gives: .accepted([])),
        HandshakeRow(
            "names of fields in capitals", without: [key], adding: [(key.uppercased(), "dGhlIHNhbXBsZSBub25jZQ==")],
            gives: .accepted([])),
        HandshakeRow("HTTP/1.0", minorVersion: 0, gives: .refused(400)),
        HandshakeRow("POST", method: "POST", gives: .refused(405)),
        HandshakeRow("HEAD", method: "HEAD", gives: .refused(405)),
        HandshakeRow("a method in lower case", method: "get", gives: .refused(405)),
        HandshakeRow("a body", hasBody: true, gives: .refused(400)),
        HandshakeRow("no Upgrade", without: ["Upgrade"], gives: .plain),
        HandshakeRow("a POST without Upgrade", method: "POST", without: ["Upgrade"], gives: .plain),
        HandshakeRow("an Upgrade to something else", replacing: "Upgrade", by: "h2c", gives: .plain),
        HandshakeRow("an Upgrade to a longer name", replacing: "Upgrade", by: "websockets", gives: .plain),
        HandshakeRow("Upgrade in capitals", replacing: "Upgrade", by: "WebSocket", gives: .accepted([])),
        HandshakeRow("several Upgrades", replacing: "Upgrade", by: "h2c, websocket", gives: .accepted([])),
        HandshakeRow("no Connection", without: ["Connection"], gives: .refused(400)),
        HandshakeRow("a Connection without Upgrade", replacing: "Connection", by: "keep-alive", gives: .refused(400)),
        HandshakeRow(
            "Connection as Firefox sends it", replacing: "Connection", by: "keep-alive, Upgrade", gives: .accepted([])),
        HandshakeRow("Connection in lower case", replacing: "Connection", by: "upgrade", gives: .accepted([])),
        HandshakeRow("Connection in two fields", adding: [("Connection", "keep-alive")], gives: .accepted([])),
        HandshakeRow("no Host", without: ["Host"], gives: .refused(400)),
        HandshakeRow("an empty Host", replacing: "Host", by: "", gives: .refused(400)),
        HandshakeRow("two Hosts", adding: [("Host", "other")], gives: .refused(400)),
    ]

    private static let versions = [
        HandshakeRow("no version", without: [version], gives: .refused(426)),
        HandshakeRow("version 8", replacing: version, by: "8", gives: .refused(426)),
        HandshakeRow("version 14", replacing: version, by: "14", gives: .refused(426)),
        HandshakeRow("version 013", replacing: version, by: "013", gives: .refused(426)),
        HandshakeRow("an empty version", replacing: version, by: "", gives: .refused(426)),
        HandshakeRow("a list of versions", replacing: version, by: "13, 8", gives: .refused(426)),
        HandshakeRow("the version twice", adding: [(version, "13")], gives: .refused(426)),
        HandshakeRow(
            "version 7 and a bad key", without: [version, key], adding: [(version, "7")], gives: .refused(426)),
    ]

    private static let keys = [
        HandshakeRow("no key", without: [key], gives: .refused(400)),
        HandshakeRow("two keys", adding: [(key, "dGhlIHNhbXBsZSBub25jZQ==")], gives: .refused(400)),
        HandshakeRow("an empty key", replacing: key, by: "", gives: .refused(400)),
        HandshakeRow("a key of 15 bytes", replacing: key, by: "dGhlIHNhbXBsZSBub25j", gives: .refused(400)),
        HandshakeRow(
            "a key of 15 bytes and one padded", replacing: key, by: "dGhlIHNhbXBsZSBub25jZQ=", gives: .refused(400)),
        HandshakeRow("a key of 17 bytes", replacing: key, by: "dGhlIHNhbXBsZSBub25jZWU=", gives: .refused(400)),
        HandshakeRow("a key of 18 bytes", replacing: key, by: "dGhlIHNhbXBsZSBub25jZWVl", gives: .refused(400)),
        HandshakeRow("a key with a blank", replacing: key, by: "dGhlIHNhbXBs ZSBub25jZQ==", gives: .refused(400)),
        HandshakeRow(
            "a key with a sign of another alphabet", replacing: key, by: "dGhlIHNhbXBsZSBub25-_A==",
            gives: .refused(400)),
        HandshakeRow("a key with padding within", replacing: key, by: "dGhl=HNhbXBsZSBub25jZQ==", gives: .refused(400)),
        HandshakeRow(
            "a key with letters beyond ASCII", replacing: key, by: "dGhlIHNhbXBsZSBub25jé==", gives: .refused(400)),
        HandshakeRow(
            "a key of all signs of the alphabet", replacing: key, by: "+/09azAZ+/09azAZ+/09aw==", gives: .accepted([])),
        HandshakeRow("a key with spare bits set", replacing: key, by: "dGhlIHNhbXBsZSBub25jZf==", gives: .accepted([])),
    ]

    private static let subprotocols = [
        HandshakeRow("one subprotocol", adding: [(subprotocol, "chat")], gives: .accepted(["chat"])),
        HandshakeRow(
            "several subprotocols", adding: [(subprotocol, "chat, superchat")],
            gives: .accepted(["chat", "superchat"])),
        HandshakeRow(
            "subprotocols in two fields", adding: [(subprotocol, "b"), (subprotocol, "a,c")],
            gives: .accepted(["b", "a", "c"])),
        HandshakeRow(
            "subprotocols between blanks", adding: [(subprotocol, " a\t, \tb ")], gives: .accepted(["a", "b"])),
        HandshakeRow(
            "subprotocols that differ by case", adding: [(subprotocol, "chat, Chat")],
            gives: .accepted(["chat", "Chat"])),
        HandshakeRow(
            "a subprotocol of every sign", adding: [(subprotocol, "!#$%&'*+-.^_`|~0Az")],
            gives: .accepted(["!#$%&'*+-.^_`|~0Az"])),
        HandshakeRow("a subprotocol twice", adding: [(subprotocol, "chat, chat")], gives: .refused(400)),
        HandshakeRow(
            "a subprotocol in two fields", adding: [(subprotocol, "a"), (subprotocol, "a")], gives: .refused(400)),
        // Empty elements of a list are ignored (RFC 9110, 5.6.1.2).
        HandshakeRow("an empty list of subprotocols", adding: [(subprotocol, "")], gives: .accepted([])),
        HandshakeRow("a list of commas", adding: [(subprotocol, " ,\t, ")], gives: .accepted([])),
        HandshakeRow(
            "an empty subprotocol among others", adding: [(subprotocol, "a,,b")], gives: .accepted(["a", "b"])),
        HandshakeRow("a comma at the end", adding: [(subprotocol, "a,")], gives: .accepted(["a"])),
        HandshakeRow("a comma at the beginning", adding: [(subprotocol, ", a")], gives: .accepted(["a"])),
        HandshakeRow(
            "an empty list beside another", adding: [(subprotocol, ""), (subprotocol, "a")], gives: .accepted(["a"])),
        HandshakeRow("an empty list of extensions", adding: [(extensions, "")], gives: .accepted([])),
        HandshakeRow("a comma behind an extension", adding: [(extensions, "a;b=1,")], gives: .accepted([])),
        HandshakeRow("an Upgrade with a comma", replacing: "Upgrade", by: ",websocket,", gives: .accepted([])),
        HandshakeRow("a Connection with commas", replacing: "Connection", by: ", Upgrade,,", gives: .accepted([])),
        HandshakeRow(
            "64 subprotocols", adding: [(subprotocol, names(64).joined(separator: ","))], gives: .accepted(names(64))),
        HandshakeRow(
            "65 subprotocols", adding: [(subprotocol, names(65).joined(separator: ","))], gives: .refused(400)),
        HandshakeRow(
            "65 subprotocols in as many fields", adding: names(65).map { (subprotocol, $0) }, gives: .refused(400)),
        HandshakeRow(
            "64 extensions and parameters", adding: [(extensions, "a;" + names(63).joined(separator: ";"))],
            gives: .accepted([])),
        HandshakeRow(
            "65 extensions and parameters",
            adding: [
                (extensions, "a;" + names(32).joined(separator: ";") + ",b;c"),
                (extensions, names(30).joined(separator: ",")),
            ],
            gives: .refused(400)),
        HandshakeRow("a subprotocol with a blank", adding: [(subprotocol, "a b")], gives: .refused(400)),
        HandshakeRow("a subprotocol in quotes", adding: [(subprotocol, "\"a\"")], gives: .refused(400)),
        HandshakeRow("a subprotocol with a slash", adding: [(subprotocol, "a/b")], gives: .refused(400)),
        HandshakeRow("a subprotocol beyond ASCII", adding: [(subprotocol, "é")], gives: .refused(400)),
        HandshakeRow("a subprotocol with a line break", adding: [(subprotocol, "a\r\nb: c")], gives: .refused(400)),
    ]

    @Test("judges a request as RFC 6455, 4.2, asks", arguments: requests + versions + keys + subprotocols)
    func judges(_ row: HandshakeRow) {
        switch Handshake.evaluate(row.request) {
        case .notAnUpgrade: #expect(row.answer == .plain)
        case .accept(let acceptance): #expect(row.answer == .accepted(acceptance.subprotocols))
        case .refuse(let status, let reason, _):
            #expect(row.answer == .refused(status))
            #expect(!reason.isEmpty)
        }
    }

    @Test("names version 13 to a client with another version")
    func versionField() {
        let row = HandshakeRow("version 8", replacing: Self.version, by: "8", gives: .refused(426))
        guard case .refuse(_, _, let fields) = Handshake.evaluate(row.request) else {
            Issue.record("not refused")
            return
        }
        #expect(fields.contains { $0 == ("Sec-WebSocket-Version", "13") })
    }

    @Test("names GET to a client with another method")
    func allowField() {
        let row = HandshakeRow("POST", method: "POST", gives: .refused(405))
        guard case .refuse(_, _, let fields) = Handshake.evaluate(row.request) else {
            Issue.record("not refused")
            return
        }
        #expect(fields.contains { $0 == ("Allow", "GET") })
    }

    @Test("computes the accept value of RFC 6455, 1.3")
    func acceptValue() {
        #expect(Handshake.acceptValue(key: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        guard case .accept(let acceptance) = Handshake.evaluate(HandshakeRow("", gives: .plain).request) else {
            Issue.record("not accepted")
            return
        }
        #expect(acceptance.accept == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    @Test("answers 101 with the accept value and the chosen subprotocol")
    func response() {
        var output = Array("before".utf8)
        Handshake.writeResponse(accept: "abc=", subprotocol: "chat", into: &output)
        let expected = """
            beforeHTTP/1.1 101 Switching Protocols\r
            Upgrade: websocket\r
            Connection: Upgrade\r
            Sec-WebSocket-Accept: abc=\r
            Sec-WebSocket-Protocol: chat\r
            \r\n
            """
        #expect(String(decoding: output, as: UTF8.self) == expected)
    }

    @Test("answers 101 without a subprotocol when none is chosen")
    func responseWithoutSubprotocol() {
        var output: [UInt8] = []
        Handshake.writeResponse(accept: "abc=", subprotocol: nil, into: &output)
        let text = String(decoding: output, as: UTF8.self)
        #expect(text.hasSuffix("\r\nSec-WebSocket-Accept: abc=\r\n\r\n"))
        #expect(!text.contains("Protocol:"))
    }

    @Test("chooses the client's preferred subprotocol among the server's")
    func choosing() {
        #expect(Handshake.chooseSubprotocol(offered: ["a", "b", "c"], supported: ["c", "b"]) == "b")
        #expect(Handshake.chooseSubprotocol(offered: ["A"], supported: ["a"]) == nil)
        #expect(Handshake.chooseSubprotocol(offered: [], supported: ["a"]) == nil)
    }
}

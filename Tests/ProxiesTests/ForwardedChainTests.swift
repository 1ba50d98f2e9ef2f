// The client's address by X-Forwarded-For and by Forwarded.

import EventLoop
import Proxies
import SeededGenerator
import Testing

@Suite("Forwarded chain", .bounded)
struct ForwardedChainTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let text: String
        let client: String
        var testDescription: String { text.debugDescription }

        init(_ text: String, _ client: String) {
            self.text = text
            self.client = client
        }
    }

    /// The proxies of these tests are 10.0.0.0/8 and 2001:db8:a::/48; the peer is 10.0.0.1.
    static let peer = SocketAddress(host: "10.0.0.1", port: 1)!
    static let trusted = [IPNetwork("10.0.0.0/8")!, IPNetwork("2001:db8:a::/48")!]

    static let xForwardedFor = [
        Row("192.0.2.7", "192.0.2.7"), Row("192.0.2.7:4711", "192.0.2.7"), Row("[2001:db8::7]:4711", "2001:db8::7"),
        Row("2001:db8::7", "2001:db8::7"), Row("[2001:db8::7]", "2001:db8::7"), Row(" \t192.0.2.7 \t", "192.0.2.7"),
        Row("::ffff:192.0.2.7", "192.0.2.7"),
        // The client's own text is to the left of our proxies' additions.
        Row("6.6.6.6, 192.0.2.7", "192.0.2.7"), Row("6.6.6.6,192.0.2.7,10.0.0.9", "192.0.2.7"),
        Row("6.6.6.6, 192.0.2.7, 10.0.0.9, 2001:db8:a::1", "192.0.2.7"), Row("10.6.6.6, 192.0.2.7", "192.0.2.7"),
        Row("garbage, 192.0.2.7", "192.0.2.7"), Row("\", 192.0.2.7", "192.0.2.7"),
        // Only proxies: the first of them is the best answer.
        Row("10.0.0.3", "10.0.0.3"), Row("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        // A malformed element ends the chain.
        Row("", "10.0.0.1"), Row(" ", "10.0.0.1"), Row(",", "10.0.0.1"), Row("192.0.2.7,", "10.0.0.1"),
        Row("192.0.2.7, unknown", "10.0.0.1"), Row("192.0.2.7, unknown, 10.0.0.2", "10.0.0.2"),
        Row("192.0.2.7, 10.0.0.2x", "10.0.0.1"), Row("192.0.2.7, 10.0.0.2:", "10.0.0.1"),
        Row("192.0.2.7, 10.0.0.2:99999", "10.0.0.1"), Row("192.0.2.7, [10.0.0.2]", "10.0.0.1"),
        Row("192.0.2.7, [2001:db8:a::1", "10.0.0.1"), Row("192.0.2.7, [2001:db8:a::1]x", "10.0.0.1"),
        Row("192.0.2.7, _hidden", "10.0.0.1"), Row("192.0.2.7, localhost", "10.0.0.1"),
        Row("192.0.2.7, \"10.0.0.2\"", "10.0.0.1"), Row("192.0.2.7 10.0.0.2", "10.0.0.1"),
        Row("192.0.2.7, 10.0.0.2:_port", "10.0.0.1"),
    ]

    static let forwarded = [
        Row("for=192.0.2.7", "192.0.2.7"), Row("For=\"192.0.2.7:4711\"", "192.0.2.7"),
        Row("for=\"[2001:db8::7]:4711\"", "2001:db8::7"), Row("for=\"[2001:db8::7]\"", "2001:db8::7"),
        Row("for=\"[2001:db8::7]:_port\";proto=https", "2001:db8::7"),
        Row("proto=https;FOR=192.0.2.7;by=203.0.113.43", "192.0.2.7"), Row("for=192.0.2.7; proto=http", "192.0.2.7"),
        Row("for=\"192.0.\\2.7\"", "192.0.2.7"), Row("for=192.0.2.7;", "192.0.2.7"),
        Row("for=192.0.2.7;;;proto=a", "192.0.2.7"),
        Row("for=192.0.2.7;by=\"a, \\\" b\"", "192.0.2.7"),
        Row("for=6.6.6.6, for=192.0.2.7, for=10.0.0.9", "192.0.2.7"),
        Row("for=6.6.6.6,for=192.0.2.7,for=\"[2001:db8:a::1]\"", "192.0.2.7"),
        Row("for=192.0.2.7;by=\"a, for=6.6.6.6\"", "192.0.2.7"), Row("by=\"\\\",\";for=192.0.2.7", "192.0.2.7"),
        // The client's text, even with unterminated quotes, cannot affect the right end.
        Row("for=\", for=192.0.2.7", "192.0.2.7"), Row("for=\"\\, for=192.0.2.7, for=10.0.0.9", "192.0.2.7"),
        Row("\"\"\"\\\", for=192.0.2.7", "192.0.2.7"),
        // Hidden, unknown, absent, malformed: the chain ends.
        Row("for=6.6.6.6, for=_hidden", "10.0.0.1"), Row("for=6.6.6.6, for=unknown, for=10.0.0.9", "10.0.0.9"),
        Row("for=6.6.6.6, proto=https", "10.0.0.1"), Row("", "10.0.0.1"), Row(",", "10.0.0.1"), Row(";", "10.0.0.1"),
        Row("192.0.2.7", "10.0.0.1"), Row("for=", "10.0.0.1"), Row("for", "10.0.0.1"), Row("=192.0.2.7", "10.0.0.1"),
        Row("for =192.0.2.7", "10.0.0.1"), Row("for= 192.0.2.7", "10.0.0.1"),
        Row("for=192.0.2.7;for=6.6.6.6", "10.0.0.1"),
        Row("for=[2001:db8::7]", "10.0.0.1"), Row("for=192.0.2.7:4711", "10.0.0.1"), Row("for=\"192.0.2.7", "10.0.0.1"),
        Row("for=192.0.2.7\"", "10.0.0.1"), Row("for=192.0.2.7 proto=a", "10.0.0.1"),
        Row("for=\"192.0.2.7\"x", "10.0.0.1"),
        Row("for=192.0.2.7;proto", "10.0.0.1"), Row("for=\"192.0.2.7\\", "10.0.0.1"),
    ]

    @Test(
        "X-Forwarded-For: takes the first untrusted address from the right",
        arguments: xForwardedFor)
    func list(_ row: Row) { check(row, .xForwardedFor) }

    @Test("Forwarded: takes the first untrusted `for` from the right", arguments: forwarded)
    func pairs(_ row: Row) { check(row, .forwarded) }

    @Test("keeps the port that the proxy writes")
    func port() {
        let chain = ForwardedChain("192.0.2.7:4711", field: .xForwardedFor)
        #expect(chain.client(behind: Self.peer, trusted: Self.trusted) == SocketAddress(host: "192.0.2.7", port: 4711))
    }

    @Test("takes an untrusted peer for the client under any header")
    func untrusted() {
        let peer = SocketAddress(host: "192.0.2.66", port: 1)!
        let chain = ForwardedChain("6.6.6.6", field: .xForwardedFor)
        #expect(chain.client(behind: peer, trusted: Self.trusted) == peer)
        #expect(chain.client(behind: Self.peer, trusted: []) == Self.peer)
    }

    @Test("trusts a peer on a UNIX socket")
    func unix() {
        let chain = ForwardedChain("6.6.6.6, 192.0.2.7", field: .xForwardedFor)
        #expect(chain.client(behind: .unix, trusted: []).host == "192.0.2.7")
    }

    @Test("follows at most 32 proxies")
    func hops() {
        let proxies = (2...100).map { "10.0.0.\($0)" }.joined(separator: ", ")
        let chain = ForwardedChain("6.6.6.6, \(proxies)", field: .xForwardedFor)
        #expect(chain.client(behind: Self.peer, trusted: Self.trusted).host == "10.0.0.69")
    }

    @Test("ignores everything to the left of our proxies' addresses")
    func fuzz() {
        var random = SeededGenerator(seed: 5)
        let alphabet = Array("\",;=\\ \tfor=1:[]_.é")
        for _ in 0..<10_000 {
            let count = Int.random(in: 0...30, using: &random)
            let left = String((0..<count).map { _ in alphabet.randomElement(using: &random)! })
            for (field, right) in [
                (ForwardedChain.Field.xForwardedFor, "192.0.2.7, 10.0.0.2"),
                (.forwarded, "for=192.0.2.7;by=\"x\", for=10.0.0.2"),
            ] {
                let chain = ForwardedChain("\(left), \(right)", field: field)
                #expect(chain.client(behind: Self.peer, trusted: Self.trusted).host == "192.0.2.7", "\(left)")
                _ = ForwardedChain(left, field: field).client(behind: Self.peer, trusted: Self.trusted)
            }
        }
    }

    @Test("reads a field of the largest size in linear time")
    func large() {
        for (field, text) in [
            (ForwardedChain.Field.forwarded, String(repeating: ";", count: 1 << 20)),
            (.forwarded, String(repeating: "\\\"", count: 1 << 19)),
            (.forwarded, String(repeating: "\"", count: 1 << 20)),
            (.xForwardedFor, String(repeating: "10.0.0.2,", count: 100_000) + "10.0.0.2"),
        ] {
            let client = ForwardedChain(text, field: field).client(behind: Self.peer, trusted: Self.trusted)
            #expect(client.host.hasPrefix("10.0.0."))
        }
    }

    private func check(_ row: Row, _ field: ForwardedChain.Field) {
        let client = ForwardedChain(row.text, field: field).client(behind: Self.peer, trusted: Self.trusted)
        #expect(client.host == row.client)
    }
}

// The text form of networks, and the addresses that they contain.

import EventLoop
import Proxies
import SeededGenerator
import Testing

@Suite("IPNetwork", .bounded)
struct IPNetworkTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let network: String
        let shown: String
        let inside: [String]
        let outside: [String]
        var testDescription: String { network }
    }

    static let rows = [
        Row(
            network: "10.0.0.0/8", shown: "10.0.0.0/8", inside: ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"],
            outside: ["9.255.255.255", "11.0.0.0", "::10.0.0.1", "a00::", "::1"]),
        Row(network: "192.0.2.7", shown: "192.0.2.7/32", inside: ["192.0.2.7"], outside: ["192.0.2.6", "192.0.2.8"]),
        Row(network: "192.0.2.4/31", shown: "192.0.2.4/31", inside: ["192.0.2.5"], outside: ["192.0.2.6"]),
        Row(network: "0.0.0.0/0", shown: "0.0.0.0/0", inside: ["0.0.0.0", "255.255.255.255"], outside: ["::", "::1"]),
        Row(
            network: "2001:db8::/32", shown: "2001:db8::/32", inside: ["2001:db8::", "2001:db8:ffff::1"],
            outside: ["2001:db9::", "2001:db7:ffff::", "32.1.13.184"]),
        Row(network: "::1", shown: "::1/128", inside: ["::1"], outside: ["::2", "::", "127.0.0.1", "0.0.0.1"]),
        Row(
            network: "::/0", shown: "::/0", inside: ["::", "ffff::"], outside: ["1.2.3.4", "::ffff:1.2.3.4"]),
        Row(
            network: "::ffff:10.0.0.0/104", shown: "10.0.0.0/8", inside: ["10.9.9.9", "::ffff:10.9.9.9"],
            outside: ["11.0.0.0"]),
        Row(network: "::ffff:0:0/96", shown: "0.0.0.0/0", inside: ["1.2.3.4"], outside: ["::1"]),
    ]

    @Test("contains its own addresses and no others, in either form of IPv4", arguments: rows)
    func contains(_ row: Row) throws {
        let network = try #require(IPNetwork(row.network))
        #expect(network.description == row.shown && IPNetwork(row.shown) == network)
        for host in row.inside { #expect(network.contains(try address(host)), "\(host)") }
        for host in row.outside { #expect(!network.contains(try address(host)), "\(host)") }
        #expect(!network.contains(.unix))
    }

    @Test(
        "refuses a text that is no network and bits behind the length",
        arguments: [
            "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08", "10.0.0.0/8/8",
            "10.0.0/8", "10.0.0.1/8", "10.0.0.0/255.0.0.0", "2001:db8::/129", "2001:db8::1/32", "[::1]/128", "::1%lo",
            "localhost", "localhost/8", "10.0.0.0 /8", " 10.0.0.0/8", "10.0.0.0/ 8", "10.0.0.0/8\0", "::ffff:0:0/95",
            "10.0.0.0/８", "x",
        ])
    func malformed(_ text: String) {
        #expect(IPNetwork(text) == nil)
    }

    @Test("trusts peers on UNIX sockets and in the networks")
    func trust() throws {
        let networks = [IPNetwork("10.0.0.0/8")!, IPNetwork("::1")!]
        #expect(networks.trust(.unix) && [].trust(.unix))
        let other = try address("127.0.0.1")
        #expect(try networks.trust(address("10.1.1.1")))
        #expect(try networks.trust(address("::1")))
        #expect(!networks.trust(other) && ![].trust(other))
    }

    @Test("agrees with a comparison bit by bit")
    func fuzz() throws {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<5_000 {
            let length = Int.random(in: 0...32, using: &random)
            let bits = UInt32.random(in: 0 ... .max, using: &random)
            let base = length == 0 ? 0 : bits & (.max << UInt32(32 - length))
            let network = try #require(IPNetwork("\(SocketAddress(ipv4: base, port: 0).host)/\(length)"))
            let flipped = bits ^ (1 << UInt32.random(in: 0..<32, using: &random))
            for candidate in [bits, flipped] {
                let isInside = (0..<length).allSatisfy { ((candidate ^ base) >> UInt32(31 - $0)) & 1 == 0 }
                #expect(network.contains(SocketAddress(ipv4: candidate, port: 1)) == isInside)
            }
        }
    }

    @Test("never traps on garbage")
    func garbage() {
        var random = SeededGenerator(seed: 2)
        let alphabet = Array("0123456789abcf.:/[]% -+\0é")
        let good = ["10.0.0.0/8", "192.0.2.1", "fd00::/8", "2001:db8::1", "::ffff:10.0.0.0/104"].map(Array.init)
        var taken = 0
        for _ in 0..<20_000 {
            var characters = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                alphabet.randomElement(using: &random)!
            }
            if Bool.random(using: &random) {
                characters = good.randomElement(using: &random)!
                characters[Int.random(in: characters.indices, using: &random)] = alphabet.randomElement(using: &random)!
            }
            let text = String(characters)
            guard let network = IPNetwork(text) else { continue }
            taken += 1
            #expect(IPNetwork(network.description) == network, "\(text)")
        }
        #expect(taken >= 1_000)
    }

    private func address(_ host: String) throws -> SocketAddress { try #require(SocketAddress(host: host, port: 1)) }
}

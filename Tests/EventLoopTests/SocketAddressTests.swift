// The parsing and printing of addresses, and texts that are no address.

import Glibc
import Testing

@testable import EventLoop

@Suite("SocketAddress", .bounded)
struct SocketAddressTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let host: String
        let shown: String
        let isIPv4: Bool
        let isLoopback: Bool
        var testDescription: String { host }
    }

    static let rows = [
        Row(host: "127.0.0.1", shown: "127.0.0.1:80", isIPv4: true, isLoopback: true),
        Row(host: "localhost", shown: "127.0.0.1:80", isIPv4: true, isLoopback: true),
        Row(host: "127.255.255.254", shown: "127.255.255.254:80", isIPv4: true, isLoopback: true),
        Row(host: "0.0.0.0", shown: "0.0.0.0:80", isIPv4: true, isLoopback: false),
        Row(host: "192.0.2.7", shown: "192.0.2.7:80", isIPv4: true, isLoopback: false),
        Row(host: "255.255.255.255", shown: "255.255.255.255:80", isIPv4: true, isLoopback: false),
        Row(host: "::1", shown: "[::1]:80", isIPv4: false, isLoopback: true),
        Row(host: "::", shown: "[::]:80", isIPv4: false, isLoopback: false),
        Row(host: "2001:db8::1", shown: "[2001:db8::1]:80", isIPv4: false, isLoopback: false),
        Row(host: "2001:DB8:0:0::1", shown: "[2001:db8::1]:80", isIPv4: false, isLoopback: false),
        Row(host: "fe80::1", shown: "[fe80::1]:80", isIPv4: false, isLoopback: false),
        // An IPv4 client of an IPv6 socket: an IPv6 address that is printed as IPv4.
        Row(host: "::ffff:127.0.0.1", shown: "[127.0.0.1]:80", isIPv4: false, isLoopback: true),
        Row(host: "::ffff:192.0.2.7", shown: "[192.0.2.7]:80", isIPv4: false, isLoopback: false),
    ]

    @Test("shows an address in its shortest form and knows its family and reach", arguments: rows)
    func good(_ row: Row) throws {
        let address = try #require(SocketAddress(host: row.host, port: 80))
        #expect("\(address)" == row.shown)
        #expect(address.isIPv4 == row.isIPv4)
        #expect(address.isLoopback == row.isLoopback)
        #expect(address.port == 80)
    }

    @Test(
        "takes no names, brackets, zones, or text that only looks similar",
        arguments: [
            "", " ", "example.org", "Localhost", "127.1", "127.0.0.1 ", "127.0.0.256", "127.0.0.1.1", "1.2.3",
            "0x7f.0.0.1",
            "[::1]", "::1%lo", ":::1", "1:2:3:4:5:6:7:8:9", "::g", "127.0.0.1\u{0}x",
        ])
    func bad(_ host: String) {
        #expect(SocketAddress(host: host, port: 1) == nil)
    }

    @Test("equal addresses are equal however they are written")
    func equality() {
        #expect(SocketAddress(host: "::1", port: 1) == SocketAddress(host: "0:0::1", port: 1))
        #expect(SocketAddress(host: "::1", port: 1) != SocketAddress(host: "::1", port: 2))
        #expect(SocketAddress(host: "127.0.0.1", port: 1) != SocketAddress(host: "::ffff:127.0.0.1", port: 1))
    }

    @Test("only mapped IPv4 is unmapped")
    func unmapped() {
        let mapped = SocketAddress(host: "::ffff:192.0.2.7", port: 80)
        #expect(mapped?.unmapped == SocketAddress(host: "192.0.2.7", port: 80))
        for host in ["192.0.2.7", "2001:db8::1", "::192.0.2.7", "::fffe:192.0.2.7", "1::ffff:192.0.2.7"] {
            let address = SocketAddress(host: host, port: 80)
            #expect(address?.unmapped == address)
        }
        #expect(SocketAddress.unix.unmapped == .unix)
    }

    @Test("is made of its bytes and shows them")
    func bytes() {
        #expect(SocketAddress(ipv4: 0xC000_0207, port: 80) == SocketAddress(host: "192.0.2.7", port: 80))
        let bits: UInt128 = 0x2001_0DB8_0000_0000_0000_0000_0000_0001
        #expect(SocketAddress(ipv6: bits, port: 80) == SocketAddress(host: "2001:db8::1", port: 80))
        #expect(SocketAddress(ipv6: bits, port: 80).bits == bits)
        #expect(SocketAddress(ipv4: 0xC000_0207, port: 80).bits == 0xFFFF_C000_0207)
    }

    @Test("a peer on a UNIX socket is of this machine and has no number")
    func unix() {
        let unix = SocketAddress.unix
        #expect("\(unix)" == "unix" && unix.host == "unix")
        #expect(unix.isUnix && unix.isLoopback && !unix.isIPv4)
        #expect(unix.port == 0 && unix.bits == 0)
        #expect(unix != SocketAddress(host: "::", port: 0))
    }

    @Test("each interface's address is of this machine, link-local ones too")
    func own() throws {
        let file = try #require(fopen("/proc/net/if_inet6", "r"))
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        var count = 0
        while fgets(&line, Int32(line.count), file) != nil {
            let digits = String(decoding: line.prefix(32).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let bits = try #require(UInt128(digits, radix: 16))
            #expect(SocketAddress(ipv6: bits, port: 80).isOfThisMachine, "\(digits)")
            count += 1
        }
        #expect(count >= 1)
        #expect(!SocketAddress(host: "192.0.2.1", port: 80)!.isOfThisMachine)
        #expect(!SocketAddress(host: "2001:db8::1", port: 80)!.isOfThisMachine)
    }

    @Test("takes 20 bytes, because every connection carries one")
    func size() {
        #expect(MemoryLayout<SocketAddress>.size <= 20)
    }
}

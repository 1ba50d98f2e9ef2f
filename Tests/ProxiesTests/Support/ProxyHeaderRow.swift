// Headers of both versions of the PROXY protocol, each with its outcome.

import EventLoop
import Proxies
import Testing

/// A header and its outcome.
struct ProxyHeaderRow: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    /// The outcome of reading the bytes. The length of a header is that of all the bytes.
    let outcome: ProxyHeader.Outcome
    var testDescription: String { name }

    private init(_ name: String, _ bytes: [UInt8], _ outcome: ProxyHeader.Outcome) {
        self.name = name
        self.bytes = bytes
        self.outcome = outcome
    }

    static func good(_ name: String, _ bytes: [UInt8], from source: SocketAddress?) -> ProxyHeaderRow {
        ProxyHeaderRow(name, bytes, .header(source: source, length: bytes.count))
    }

    static func good(_ line: String, from source: SocketAddress?) -> ProxyHeaderRow {
        good("v1 \(line)", Array("\(line)\r\n".utf8), from: source)
    }

    static func bad(_ name: String, _ bytes: [UInt8], _ failure: ProxyHeader.Failure) -> ProxyHeaderRow {
        ProxyHeaderRow(name, bytes, .failure(failure))
    }

    static func bad(_ line: String, _ failure: ProxyHeader.Failure = .malformed) -> ProxyHeaderRow {
        bad("v1 \(line.debugDescription)", Array(line.utf8), failure)
    }

    static let four = SocketAddress(host: "192.0.2.7", port: 56324)
    static let six = SocketAddress(host: "2001:db8::7", port: 4711)

    static let goodText: [ProxyHeaderRow] = [
        .good("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443", from: four),
        .good(
            "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535", from: .init(host: "255.255.255.255", port: 65535)),
        .good("PROXY TCP4 0.0.0.0 0.0.0.0 0 0", from: .init(host: "0.0.0.0", port: 0)),
        .good("PROXY TCP6 2001:db8::7 ::1 4711 443", from: six),
        .good("PROXY TCP6 2001:DB8:0:0:0:0:0:7 ::1 4711 443", from: six),
        .good("PROXY TCP6 ::ffff:192.0.2.7 ::1 56324 443", from: four),
        .good("PROXY UNKNOWN", from: nil),
        .good("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535", from: nil),
        .good("PROXY UNKNOWN \(String(repeating: "x", count: 91))", from: nil),
    ]

    static let badText: [ProxyHeaderRow] = [
        .bad("GET / HTTP/1.1\r\n", .noSignature), .bad("POST / HTTP/1.1\r\n", .noSignature),
        .bad("proxy TCP4 192.0.2.7 198.51.100.1 1 2\r\n", .noSignature), .bad("PROXY\r\n", .noSignature),
        .bad("\0", .noSignature), .bad("\r\r", .noSignature), .bad("PROXYTCP4", .noSignature),
        .bad("PROXY \r\n"), .bad("PROXY  TCP4 192.0.2.7 198.51.100.1 1 2\r\n"), .bad("PROXY TCP4\r\n"),
        .bad("PROXY TCP5 192.0.2.7 198.51.100.1 1 2\r\n"), .bad("PROXY UDP4 192.0.2.7 198.51.100.1 1 2\r\n"),
        .bad("PROXY tcp4 192.0.2.7 198.51.100.1 1 2\r\n"), .bad("PROXY TCP4 192.0.2.7 198.51.100.1 1\r\n"),
        .bad("PROXY TCP4 192.0.2.7 198.51.100.1 1 2 3\r\n"), .bad("PROXY TCP4 192.0.2.7 198.51.100.1 1 2 \r\n"),
        .bad("PROXY TCP4 192.0.2.7  198.51.100.1 1 2\r\n"), .bad("PROXY TCP4\t192.0.2.7 198.51.100.1 1 2\r\n"),
        .bad("PROXY TCP4 192.0.2.256 198.51.100.1 1 2\r\n"), .bad("PROXY TCP4 192.0.2 198.51.100.1 1 2\r\n"),
        .bad("PROXY TCP4 localhost 198.51.100.1 1 2\r\n"), .bad("PROXY TCP4 192.0.2.7 localhost 1 2\r\n"),
        .bad("PROXY TCP4 2001:db8::7 ::1 1 2\r\n"), .bad("PROXY TCP6 192.0.2.7 198.51.100.1 1 2\r\n"),
        .bad("PROXY TCP6 ::1 198.51.100.1 1 2\r\n"), .bad("PROXY TCP6 ::1%lo ::1 1 2\r\n"),
        .bad("PROXY TCP6 [::1] ::1 1 2\r\n"), .bad("PROXY TCP4 192.0.2.7 198.51.100.1 65536 2\r\n"),
        .bad("PROXY TCP4 192.0.2.7 198.51.100.1 1 65536\r\n"), .bad("PROXY TCP4 192.0.2.7 198.51.100.1 -1 2\r\n"),
        .bad("PROXY TCP4 192.0.2.7 198.51.100.1 +1 2\r\n"), .bad("PROXY TCP4 192.0.2.7 198.51.100.1 01 2\r\n"),
        .bad("PROXY TCP4 192.0.2.7 198.51.100.1 1 2\n"), .bad("PROXY TCP4 192.0.2.7 198.51.100.1 1 2\rx"),
        .bad("PROXY TCP4 192.0.2.7 198.51.100.1 1 2\r\r\n"), .bad("PROXY TCP4 192.0.2.7\0 198.51.100.1 1 2\r\n"),
        .bad("PROXY UNKNOWNX\r\n"), .bad("PROXY UNKNOWN \u{7F}\r\n"), .bad("PROXY UNKNOWN é\r\n"),
        .bad("PROXY UNKNOWN \(String(repeating: "x", count: 93))", .tooLong),
        .bad("PROXY UNKNOWN \(String(repeating: "x", count: 92))\r\n", .tooLong),
    ]

    // MARK: Version 2

    private static let ipv4 = [192, 0, 2, 7, 198, 51, 100, 1, 0xDC, 0x04, 0x01, 0xBB] as [UInt8]
    private static let ipv6 =
        [0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7] + [UInt8](repeating: 0, count: 15)
        + [1, 0x12, 0x67, 0x01, 0xBB]
    private static let mapped =
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, 7] + [UInt8](repeating: 0, count: 15)
        + [1, 0xDC, 0x04, 0x01, 0xBB]
    private static let unix = [UInt8](repeating: UInt8(ascii: "x"), count: 216)

    static func binary(command: UInt8 = 0x21, _ family: UInt8, _ payload: [UInt8], length: Int? = nil) -> [UInt8] {
        let length = length ?? payload.count
        let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
        return signature + [command, family, UInt8(length >> 8), UInt8(length & 0xFF)] + payload
    }

    static func extensionBytes(_ type: UInt8, _ value: [UInt8]) -> [UInt8] {
        [type, UInt8(value.count >> 8), UInt8(value.count & 0xFF)] + value
    }

    /// An IPv4 header with an authority and a checksum.
    static func checked(_ checksum: [UInt8]) -> [UInt8] {
        binary(0x11, ipv4 + extensionBytes(0x02, Array("example.com".utf8)) + extensionBytes(0x03, checksum))
    }

    static let goodBinary: [ProxyHeaderRow] = [
        .good("v2 IPv4", binary(0x11, ipv4), from: four),
        .good("v2 IPv6", binary(0x21, ipv6), from: six),
        .good("v2 IPv4 inside IPv6", binary(0x21, mapped), from: four),
        .good("v2 UNIX", binary(0x31, unix), from: nil),
        .good("v2 IPv4 over UDP", binary(0x12, ipv4), from: nil),
        .good("v2 unspecified", binary(0x00, []), from: nil),
        .good("v2 unspecified, with bytes that are no extensions", binary(0x00, [1, 2, 3, 4, 5]), from: nil),
        .good("v2 LOCAL", binary(command: 0x20, 0x00, []), from: nil),
        .good("v2 LOCAL with an address, which is to be ignored", binary(command: 0x20, 0x11, ipv4), from: nil),
        .good("v2 LOCAL with a block that fits no family", binary(command: 0x20, 0x21, [1]), from: nil),
        .good(
            "v2 with extensions", binary(0x11, ipv4 + extensionBytes(0x01, Array("h2".utf8)) + extensionBytes(4, [])),
            from: four),
        .good(
            "v2 as long as it may be", binary(0x11, ipv4 + extensionBytes(0x04, [UInt8](repeating: 0, count: 4065))),
            from: four),
        .good("v2 with its checksum", checked(Checksum.ofChecked), from: four),
    ]

    static let badBinary: [ProxyHeaderRow] = [
        .bad("v2 of version 1", binary(command: 0x11, 0x11, ipv4), .malformed),
        .bad("v2 of version 3", binary(command: 0x31, 0x11, ipv4), .malformed),
        .bad("v2 of an unknown command", binary(command: 0x22, 0x11, ipv4), .malformed),
        .bad("v2 of an unknown family", binary(0x41, ipv4), .malformed),
        .bad("v2 of an unknown transport", binary(0x13, ipv4), .malformed),
        .bad("v2 IPv4, a byte short", binary(0x11, Array(ipv4.dropLast())), .malformed),
        .bad("v2 IPv6 with an IPv4 block", binary(0x21, ipv4), .malformed),
        .bad("v2 UNIX, a byte short", binary(0x31, Array(unix.dropLast())), .malformed),
        .bad("v2 a byte too long", binary(0x11, ipv4, length: 4081), .tooLong),
        .bad("v2 as long as its length can say", binary(0x11, ipv4, length: 65535), .tooLong),
        .bad("v2 with half an extension", binary(0x11, ipv4 + [4, 0]), .malformed),
        .bad("v2 with an extension that is longer than the header", binary(0x11, ipv4 + [4, 0, 2, 0]), .malformed),
        .bad("v2 with another's checksum", checked(Checksum.ofChecked.reversed() as [UInt8]), .wrongChecksum),
        .bad("v2 with half a checksum", binary(0x11, ipv4 + extensionBytes(3, [0, 0])), .malformed),
        .bad("v2 signature with a wrong last byte", Array(binary(0x11, ipv4).prefix(11)) + [0x0B], .noSignature),
    ]

    static let good = goodText + goodBinary
    static let bad = badText + badBinary
}

/// A second CRC-32C, by table and from its definition, to compare with the product's.
enum Checksum {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0x82F6_3B78 : sum >> 1 }
    }

    static func crc32c(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(UInt32.max) { sum, byte in table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] ^ sum >> 8 }
    }

    /// The four bytes of the right checksum for `ProxyHeaderRow.checked`.
    static let ofChecked: [UInt8] = {
        let sum = crc32c(ProxyHeaderRow.checked([0, 0, 0, 0]))
        return (0..<4).map { UInt8(truncatingIfNeeded: sum >> (24 - 8 * UInt32($0))) }
    }()
}

// The PROXY protocol, versions 1 and 2: a load balancer writes a header in front of a connection's own bytes that names the
// client of the connection. The reader takes the bytes so far and keeps nothing between calls, so they may come in any pieces.
//
// Allocates: a few short strings for version 1, nothing for version 2.

public import EventLoop

/// The header of the PROXY protocol (haproxy.org, doc/proxy-protocol.txt).
public enum ProxyHeader {
    /// The result of reading the bytes so far.
    public enum Outcome: Equatable, Sendable {
        /// The beginning of a header.
        case needMore
        /// A whole header, `length` bytes long; the connection's own bytes follow.
        /// - source: the client's address; nil when the proxy does not name it or connects for itself (a health check).
        case header(source: SocketAddress?, length: Int)
        /// No header, with any continuation.
        case failure(Failure)
    }

    /// The reason why bytes are no header.
    public enum Failure: Equatable, Sendable {
        /// They begin with neither version's signature.
        case noSignature
        /// The header is longer than the limit.
        case tooLong
        /// The bytes behind the signature break the protocol.
        case malformed
        /// The checksum does not match the bytes.
        case wrongChecksum
    }

    /// The longest header in bytes. Version 1 has at most 107; for version 2 this is our limit. Its addresses take 52 (232 on UNIX
    /// sockets), and the rest is room for extensions, such as the names in a client's certificate.
    public static let longest = 4096

    /// Reads the header at the beginning of `bytes`, which are all bytes of the connection so far.
    public static func read(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        guard let first = bytes.first else { return .needMore }
        if first == textSignature[0] { return readText(bytes) }
        if first == binarySignature[0] { return readBinary(bytes) }
        return .failure(.noSignature)
    }

    /// Whether the bytes so far agree with the signature.
    private static func agrees(_ bytes: UnsafeRawBufferPointer, with signature: [UInt8]) -> Bool {
        zip(bytes, signature).allSatisfy { $0 == $1 }
    }
}

// Version 1: one line, `PROXY TCP4 192.0.2.7 198.51.100.1 56324 443`.
extension ProxyHeader {
    private static let textSignature = Array("PROXY ".utf8)
    /// The longest line, its end included.
    private static let longestLine = 107

    private static func readText(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        guard agrees(bytes, with: textSignature) else { return .failure(.noSignature) }
        let window = UnsafeRawBufferPointer(rebasing: bytes.prefix(longestLine))
        guard let end = window.firstIndex(of: UInt8(ascii: "\n")) else {
            // A lone carriage return cannot become a line end.
            if let lone = window.firstIndex(of: UInt8(ascii: "\r")), lone + 1 < window.count {
                return .failure(.malformed)
            }
            return bytes.count >= longestLine ? .failure(.tooLong) : .needMore
        }
        guard end > textSignature.count, window.firstIndex(of: UInt8(ascii: "\r")) == end - 1 else {
            return .failure(.malformed)
        }
        return line(window[textSignature.count..<end - 1], length: end + 1)
    }

    /// Reads the part behind `PROXY `.
    private static func line(_ bytes: Slice<UnsafeRawBufferPointer>, length: Int) -> Outcome {
        guard bytes.allSatisfy({ (0x20...0x7E).contains($0) }) else { return .failure(.malformed) }
        let words = String(decoding: bytes, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
        // The rest of the line behind UNKNOWN is to be ignored.
        if words[0] == "UNKNOWN" { return .header(source: nil, length: length) }
        guard words.count == 5, words[0] == "TCP4" || words[0] == "TCP6",
            let sourcePort = NumericAddress.port(words[3]), let targetPort = NumericAddress.port(words[4]),
            let source = NumericAddress.parse(words[1], port: sourcePort),
            let target = NumericAddress.parse(words[2], port: targetPort),
            source.isIPv4 == (words[0] == "TCP4"), target.isIPv4 == source.isIPv4
        else { return .failure(.malformed) }
        return .header(source: source.unmapped, length: length)
    }
}

// Version 2: a signature, 4 bytes that describe the rest, addresses, and extensions (type, length, value). Of the extensions, we
// read only the checksum.
extension ProxyHeader {
    private static let binarySignature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]
    private static let fixedLength = 16
    /// The extension that carries the checksum of the whole header (PP2_TYPE_CRC32C).
    private static let checksumType: UInt8 = 0x03

    private enum Family: UInt8 {
        case unspecified, ipv4, ipv6, unix

        /// The size of both addresses and ports.
        var addressLength: Int {
            switch self {
            case .unspecified: 0
            case .ipv4: 12
            case .ipv6: 36
            case .unix: 216
            }
        }
    }

    private static func readBinary(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        guard agrees(bytes, with: binarySignature) else { return .failure(.noSignature) }
        if bytes.count > 12, bytes[12] >> 4 != 2 || bytes[12] & 0xF > 1 { return .failure(.malformed) }
        if bytes.count > 13, bytes[13] >> 4 > 3 || bytes[13] & 0xF > 2 { return .failure(.malformed) }
        guard bytes.count >= fixedLength else { return .needMore }
        let length = fixedLength + Int(bytes[14]) << 8 + Int(bytes[15])
        guard length <= longest else { return .failure(.tooLong) }
        let isLocal = bytes[12] & 0xF == 0
        let family = Family(rawValue: bytes[13] >> 4) ?? .unspecified
        // For a proxy's own connection, and for one that it cannot describe, the addresses and extensions are to be skipped.
        let isSkipped = isLocal || family == .unspecified
        guard isSkipped || fixedLength + family.addressLength <= length else { return .failure(.malformed) }
        guard bytes.count >= length else { return .needMore }
        if isSkipped { return .header(source: nil, length: length) }

        let header = UnsafeRawBufferPointer(rebasing: bytes[..<length])
        if let failure = checkExtensions(header, from: fixedLength + family.addressLength) { return .failure(failure) }
        // The address of a datagram is not that of this connection.
        let isStream = bytes[13] & 0xF == 1
        return .header(source: isStream ? source(header, family) : nil, length: length)
    }

    private static func source(_ header: UnsafeRawBufferPointer, _ family: Family) -> SocketAddress? {
        switch family {
        case .ipv4:
            let address = UInt32(bigEndian: header.loadUnaligned(fromByteOffset: 16, as: UInt32.self))
            return SocketAddress(ipv4: address, port: port(header, at: 24))
        case .ipv6:
            let address = UInt128(bigEndian: header.loadUnaligned(fromByteOffset: 16, as: UInt128.self))
            return SocketAddress(ipv6: address, port: port(header, at: 48)).unmapped
        case .unix, .unspecified:
            return nil
        }
    }

    private static func port(_ header: UnsafeRawBufferPointer, at offset: Int) -> UInt16 {
        UInt16(bigEndian: header.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    /// Goes through the extensions and returns the fault in them; nil when there is none.
    private static func checkExtensions(_ header: UnsafeRawBufferPointer, from start: Int) -> Failure? {
        var offset = start
        while offset < header.count {
            guard header.count - offset >= 3 else { return .malformed }
            let length = Int(header[offset + 1]) << 8 + Int(header[offset + 2])
            let value = offset + 3
            guard header.count - value >= length else { return .malformed }
            if header[offset] == checksumType {
                guard length == 4 else { return .malformed }
                let given = UInt32(bigEndian: header.loadUnaligned(fromByteOffset: value, as: UInt32.self))
                guard CRC32C.of(header, zeroing: value..<value + 4) == given else { return .wrongChecksum }
            }
            offset = value + length
        }
        return nil
    }
}

/// The checksum of version 2: CRC-32 with Castagnoli's polynomial (RFC 3720, appendix B.4).
private enum CRC32C {
    private static let polynomial: UInt32 = 0x82F6_3B78

    /// The checksum of the bytes. The bytes in `hole`, where the checksum itself stands, count as zero.
    static func of(_ bytes: UnsafeRawBufferPointer, zeroing hole: Range<Int> = 0..<0) -> UInt32 {
        var sum = UInt32.max
        for (offset, byte) in bytes.enumerated() {
            sum ^= hole.contains(offset) ? 0 : UInt32(byte)
            for _ in 0..<8 { sum = sum >> 1 ^ (sum & 1 == 1 ? polynomial : 0) }
        }
        return ~sum
    }
}

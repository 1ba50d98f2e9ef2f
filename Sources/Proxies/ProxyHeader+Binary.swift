// Version 2: a signature, 4 bytes that say what follows, addresses, and extensions (type, length, value), of which only the
// checksum means something to us.

import EventLoop

extension ProxyHeader {
    static let binarySignature: [UInt8] = [
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

    static func readBinary(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        guard agrees(bytes, with: binarySignature) else { return .failure(.noSignature) }
        if bytes.count > 12, bytes[12] >> 4 != 2 || bytes[12] & 0xF > 1 { return .failure(.malformed) }
        if bytes.count > 13, bytes[13] >> 4 > 3 || bytes[13] & 0xF > 2 { return .failure(.malformed) }
        guard bytes.count >= fixedLength else { return .needMore }
        let length = fixedLength + Int(bytes[14]) << 8 + Int(bytes[15])
        guard length <= longest else { return .failure(.tooLong) }
        let isLocal = bytes[12] & 0xF == 0
        let family = Family(rawValue: bytes[13] >> 4) ?? .unspecified
        // Of a proxy's own connection, and of one that it cannot describe, all that follows is to be skipped.
        let isSkipped = isLocal || family == .unspecified
        guard isSkipped || fixedLength + family.addressLength <= length else { return .failure(.malformed) }
        guard bytes.count >= length else { return .needMore }
        if isSkipped { return .header(source: nil, length: length) }

        let header = UnsafeRawBufferPointer(rebasing: bytes[..<length])
        if let failure = checkExtensions(header, from: fixedLength + family.addressLength) { return .failure(failure) }
        // A datagram's address is not that of this connection.
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

    /// Walks the extensions; what is wrong with them, nil when nothing is.
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

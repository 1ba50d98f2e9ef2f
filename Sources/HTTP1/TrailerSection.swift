// The fields behind a chunked body (RFC 9112, section 7.1.2): held to the grammar and the limits of a head, then
// dropped.
//
// Allocates: nothing.

/// The reading of one trailer section, byte by byte.
struct TrailerSection {
    private enum Phase {
        case lineStart
        case name
        case value
        case lineFeed(isLast: Bool)
    }

    private var phase = Phase.lineStart
    private var bytes: UInt32 = 0
    private var fields: UInt32 = 0

    /// Reads one byte, and answers whether the section ends with it.
    mutating func accept(_ byte: UInt8, within limits: HTTPLimits) throws(HTTPError) -> Bool {
        bytes += 1
        guard bytes <= limits.maxHead else { throw .headTooLarge }
        switch phase {
        case .lineStart:
            try acceptAtLineStart(byte, maxFields: limits.maxFields)
        case .name:
            if byte == ASCII.colon { phase = .value } else if !byte.isTokenByte { throw .badField }
        case .value:
            if byte == ASCII.carriageReturn {
                phase = .lineFeed(isLast: false)
            } else if byte == ASCII.lineFeed {
                throw .bareLineFeed
            } else if byte.isControl, byte != ASCII.tab {
                throw .controlByte
            }
        case .lineFeed(let isLast):
            guard byte == ASCII.lineFeed else { throw .bareCarriageReturn }
            phase = .lineStart
            return isLast
        }
        return false
    }

    private mutating func acceptAtLineStart(_ byte: UInt8, maxFields: Int) throws(HTTPError) {
        if byte == ASCII.carriageReturn {
            phase = .lineFeed(isLast: true)
            return
        }
        if byte == ASCII.lineFeed { throw .bareLineFeed }
        if byte.isBlank { throw .obsoleteFolding }
        guard byte.isTokenByte else { throw .badField }
        guard fields < maxFields else { throw .tooManyFields }
        fields += 1
        phase = .name
    }
}

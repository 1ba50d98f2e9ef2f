// Removes the framing of a chunked body (RFC 9112, section 7.1). It reads framing byte by byte and hands out data as
// ranges. The trailer section behind the last chunk must keep the grammar and the limits of a head; it is then dropped.
//
// Allocates: nothing.

/// Reads one chunked body.
struct ChunkedBody {
    /// The result of one call.
    enum Step {
        case needMore
        /// Data of the body, as a range of the input.
        case data(Range<Int>)
        /// The body is complete, with its trailer section.
        case end
    }

    private enum Phase {
        /// In the size, after this many digits.
        case size(digits: UInt8)
        case extensions
        case lineFeedAfterSize
        case data
        case carriageReturnAfterData
        case lineFeedAfterData
        case trailers(TrailerSection)
    }

    /// The most bytes of data in all chunks.
    var maxBody: Int
    private var phase = Phase.size(digits: 0)
    /// While the size is read, its value so far; then the bytes of the chunk that are still to come.
    private var remaining = 0
    /// Bytes of data in all chunks up to this one.
    private var total = 0
    private var extensionBytes = 0

    /// 15 hexadecimal digits always fit an Int.
    private static let maxSizeDigits = 15

    init(maxBody: Int) { self.maxBody = maxBody }

    /// Reads from `offset` up to the next piece of data.
    mutating func next(
        _ input: RawSpan, from offset: inout Int, within limits: HTTPLimits
    ) throws(HTTPError) -> Step {
        while offset < input.byteCount {
            if case .data = phase { return .data(takeData(input, from: &offset)) }
            let isEnd = try accept(input[offset], within: limits)
            offset += 1
            if isEnd { return .end }
        }
        return .needMore
    }

    private mutating func takeData(_ input: RawSpan, from offset: inout Int) -> Range<Int> {
        let range = offset..<offset + min(remaining, input.byteCount - offset)
        offset = range.upperBound
        remaining -= range.count
        if remaining == 0 { phase = .carriageReturnAfterData }
        return range
    }

    /// Reads one byte of framing; true when it is the last of the body.
    private mutating func accept(_ byte: UInt8, within limits: HTTPLimits) throws(HTTPError) -> Bool {
        switch phase {
        case .size(let digits):
            try acceptInSize(byte, digits: digits)
        case .extensions:
            try acceptInExtensions(byte, limit: limits.maxChunkExtensions)
        case .lineFeedAfterSize:
            guard byte == ASCII.lineFeed else { throw .badChunk }
            try beginData()
        case .carriageReturnAfterData:
            guard byte == ASCII.carriageReturn else { throw .badChunk }
            phase = .lineFeedAfterData
        case .lineFeedAfterData:
            guard byte == ASCII.lineFeed else { throw .badChunk }
            phase = .size(digits: 0)
        case .trailers(var trailers):
            let isEnd = try trailers.accept(byte, within: limits)
            phase = .trailers(trailers)
            return isEnd
        case .data:
            preconditionFailure("data is taken as a range")
        }
        return false
    }

    private mutating func acceptInSize(_ byte: UInt8, digits: UInt8) throws(HTTPError) {
        if let value = byte.hexValue, digits < Self.maxSizeDigits {
            remaining = remaining << 4 | Int(value)
            phase = .size(digits: digits + 1)
        } else if digits > 0, byte == ASCII.carriageReturn {
            phase = .lineFeedAfterSize
        } else if digits > 0, byte == ASCII.semicolon {
            phase = .extensions
        } else {
            throw .badChunk
        }
    }

    private mutating func acceptInExtensions(_ byte: UInt8, limit: Int) throws(HTTPError) {
        if byte == ASCII.carriageReturn {
            phase = .lineFeedAfterSize
            return
        }
        extensionBytes += 1
        guard extensionBytes <= limit, !byte.isControl || byte == ASCII.tab else { throw .badChunk }
    }

    private mutating func beginData() throws(HTTPError) {
        guard remaining <= maxBody - total else { throw .bodyTooLarge }
        total += remaining
        phase = remaining == 0 ? .trailers(TrailerSection()) : .data
    }
}

/// Reads the fields behind a chunked body (RFC 9112, section 7.1.2), byte by byte.
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

    /// Reads one byte; true when the section ends with it.
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

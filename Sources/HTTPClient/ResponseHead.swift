// The head of a response, from the lines that libcurl hands over one at a time. Interim responses (1xx) come first and are
// forgotten; lines after the head are trailers, and not wanted.
//
// Read next: Transfer.swift

/// Header fields as they come.
struct ResponseHead {
    private(set) var fields: [HTTPClientResponse.Field] = []
    /// All bytes of all lines, those of interim responses and trailers included: there is no end to either otherwise.
    private(set) var byteCount = 0
    /// Whether the empty line behind the fields has come.
    private(set) var isComplete = false

    mutating func add(_ line: UnsafeRawBufferPointer) {
        byteCount += line.count
        if line.starts(with: "HTTP/".utf8) {
            fields.removeAll()
            isComplete = false
        } else if !isComplete {
            addField(line)
        }
    }

    private mutating func addField(_ line: UnsafeRawBufferPointer) {
        let text = Self.trim(line[...])
        if text.isEmpty {
            isComplete = true
        } else if Self.isSpace(line[0]), !fields.isEmpty {
            // A line that continues the one before it (RFC 9112, section 5.2).
            let last = fields.count - 1
            if !fields[last].value.isEmpty { fields[last].value += " ".utf8 }
            fields[last].value += text
        } else if let colon = text.firstIndex(of: UInt8(ascii: ":")) {
            let name = String(decoding: text[..<colon], as: UTF8.self).lowercased()
            let value = Self.trim(text[(colon + 1)...])
            fields.append(.init(name: name, value: Array(value)))
        }
    }

    private static func trim(_ bytes: Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer> {
        var bytes = bytes
        while let first = bytes.first, isSpace(first) { bytes.removeFirst() }
        while let last = bytes.last, isSpace(last) { bytes.removeLast() }
        return bytes
    }

    private static func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }
}

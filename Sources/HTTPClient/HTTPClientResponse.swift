// The response of a server, and the reading of its head from the lines that libcurl hands over one at a time. Interim
// responses (1xx) come first and are dropped, and so are the lines after the head, which are trailers.
//
// Read next: Transfer.swift.

/// A whole response: the last one if redirects were followed.
public struct HTTPClientResponse: Sendable, Equatable {
    /// One header field, in the order in which they came.
    public struct Field: Sendable, Equatable {
        /// In lower case.
        public let name: String
        /// The value without white space around it; it need not be UTF-8.
        public internal(set) var value: [UInt8]

        /// The value as text: ISO-8859-1 where it is not UTF-8 (RFC 9110, section 5.5).
        public var text: String {
            String(validating: value, as: UTF8.self)
                ?? String(String.UnicodeScalarView(value.map { Unicode.Scalar($0) }))
        }
    }

    /// The status, normally 200 to 599.
    public let status: Int
    public let fields: [Field]
    /// The body as it came: the client asks for no compression, so nothing is decompressed.
    public let body: [UInt8]

    /// The values of all fields of this name (in lower case), joined with ", " (RFC 9110, section 5.3); nil without
    /// any.
    public func value(of name: String) -> String? {
        let values = fields.filter { $0.name == name }.map(\.text)
        return values.isEmpty ? nil : values.joined(separator: ", ")
    }
}

/// Header fields as they come.
struct ResponseHead {
    private(set) var fields: [HTTPClientResponse.Field] = []
    /// The bytes of all lines, including those of interim responses and trailers, because there is no other limit on
    /// them.
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

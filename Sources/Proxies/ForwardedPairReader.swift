// The pairs of one element of Forwarded: `for="[2001:db8::1]:4711";proto=https` (RFC 7239, section 4).

/// Reads `name=value` pairs between semicolons.
struct ForwardedPairReader {
    enum Step: Equatable {
        /// The name in lower case, the value without its quotes.
        case pair(name: String, value: String)
        case end
        case malformed
    }

    private var rest: Substring.UTF8View
    private var isFirst = true

    init(_ element: Substring) { rest = element.utf8 }

    mutating func next() -> Step {
        skipBlanks()
        if rest.isEmpty { return isFirst ? .malformed : .end }
        if !isFirst {
            guard take(UInt8(ascii: ";")) else { return .malformed }
            skipBlanks()
            // An empty pair may stand between others and behind them.
            while take(UInt8(ascii: ";")) { skipBlanks() }
            if rest.isEmpty { return .end }
        }
        isFirst = false
        guard let name = takeToken(), take(UInt8(ascii: "=")) else { return .malformed }
        guard let value = rest.first == UInt8(ascii: "\"") ? takeQuoted() : takeToken() else { return .malformed }
        return .pair(name: name.lowercased(), value: value)
    }

    private mutating func skipBlanks() { rest = rest.drop { $0 == 0x20 || $0 == 0x09 } }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard rest.first == byte else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func takeToken() -> String? {
        let token = rest.prefix(while: Self.isTokenByte)
        guard !token.isEmpty else { return nil }
        rest = rest[token.endIndex...]
        return String(Substring(token))
    }

    /// A quoted string, its backslashes taken away (RFC 9110, section 5.6.4).
    private mutating func takeQuoted() -> String? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""):
                return String(decoding: bytes, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let escaped = rest.popFirst() else { return nil }
                bytes.append(escaped)
            default:
                bytes.append(byte)
            }
        }
        return nil
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

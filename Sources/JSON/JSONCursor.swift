// Reads JSON from bytes, strictly (RFC 8259): the grammar, once, for the two forms in which a text is read.
//
// Read next: JSONReader.swift for the members of one object, JSON.swift for a whole value.

/// Why a text is refused.
public struct JSONError: Error, Equatable, Sendable {
    /// The error and its place, as the end of a sentence: `',' or ']' is expected, at byte 7`.
    public let message: String
}

/// A place within JSON text.
struct JSONCursor {
    let bytes: [UInt8]
    private(set) var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The byte at the place; nil at the end.
    var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// A failure at this place.
    func failure(_ message: String) -> JSONError { JSONError(message: "\(message), at byte \(position)") }

    /// Moves over space between tokens.
    mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    /// Moves over an object; `member` is called after each name and its colon, and must move over the value.
    mutating func object(_ member: (inout JSONCursor, String) throws(JSONError) -> Void) throws(JSONError) {
        guard take("{") else { throw failure("an object is expected") }
        skipSpace()
        if take("}") { return }
        repeat {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw failure("a member's name is expected") }
            let name = try string()
            skipSpace()
            guard take(":") else { throw failure("':' is expected") }
            skipSpace()
            try member(&self, name)
            skipSpace()
        } while take(",")
        guard take("}") else { throw failure("',' or '}' is expected") }
    }

    /// Moves over an array; `element` is called before each value, and must move over it.
    mutating func array(_ element: (inout JSONCursor) throws(JSONError) -> Void) throws(JSONError) {
        guard take("[") else { throw failure("an array is expected") }
        skipSpace()
        if take("]") { return }
        repeat {
            skipSpace()
            try element(&self)
            skipSpace()
        } while take(",")
        guard take("]") else { throw failure("',' or ']' is expected") }
    }

    /// Moves over `true`, `false` or `null`.
    mutating func word(_ word: String) throws(JSONError) {
        for byte in word.utf8 {
            guard current == byte else { throw failure("a value is expected") }
            position += 1
        }
    }

    /// Moves over a number, the one value that no bracket, quote or letter begins.
    mutating func number() throws(JSONError) {
        _ = take("-")
        let startsWithZero = current == UInt8(ascii: "0")
        let count = digits()
        guard count > 0, !(startsWithZero && count > 1) else { throw failure("a value is expected") }
        if take("."), digits() == 0 { throw failure("digits are expected") }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            if digits() == 0 { throw failure("digits are expected") }
        }
    }

    /// Moves over a string and decodes it; the place must be a quote.
    mutating func string() throws(JSONError) -> String {
        position += 1
        var text: [UInt8] = []
        while let byte = current {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw failure("a control character in a string must be escaped")
            default: text.append(byte)
            }
        }
        throw failure("a string does not end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        guard let byte = current else { throw failure("an escape is cut off") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: Array(String(try scalar()).utf8))
        default: throw failure("an unknown escape")
        }
    }

    private mutating func scalar() throws(JSONError) -> Character {
        var code = try fourDigits()
        if (0xD800..<0xDC00).contains(code) {
            guard take("\\"), take("u") else { throw failure("half of a surrogate pair") }
            let low = try fourDigits()
            guard (0xDC00..<0xE000).contains(low) else { throw failure("half of a surrogate pair") }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw failure("half of a surrogate pair") }
        return Character(scalar)
    }

    private mutating func fourDigits() throws(JSONError) -> UInt32 {
        guard position + 4 <= bytes.count,
            let code = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16),
            bytes[position] != UInt8(ascii: "+"), bytes[position] != UInt8(ascii: "-")
        else { throw failure("four hexadecimal digits are expected") }
        position += 4
        return code
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = current, (0x30...0x39).contains(byte) { position += 1 }
        return position - start
    }

    private mutating func take(_ byte: Character) -> Bool {
        guard current == byte.asciiValue else { return false }
        position += 1
        return true
    }
}

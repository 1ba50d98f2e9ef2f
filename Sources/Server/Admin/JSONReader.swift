// JSON in, for `POST /v1/publish`: strict (RFC 8259), with the text of each member's value kept as it was written, so that "data"
// of any kind is pushed on without a change to a number's digits or an object's order.

/// Reads one JSON object into its members.
struct JSONReader {
    /// Values nested deeper than this are refused.
    static let maxDepth = 64

    /// A value: what it is, and its text.
    enum Value {
        case string(String)
        case strings([String])
        /// A number, boolean, null, object or other array, as written.
        case other(Substring.UTF8View)
    }

    struct Failure: Error { let message: String }

    private let bytes: [UInt8]
    private var position = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The members of the object that the bytes are, each name once.
    static func members(of bytes: [UInt8]) throws(Failure) -> [String: (value: Value, json: String)] {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw Failure(message: "the body is not UTF-8") }
        var reader = JSONReader(bytes)
        reader.skipSpace()
        var members: [String: (value: Value, json: String)] = [:]
        try reader.object { (reader, name) throws(Failure) in
            let start = reader.position
            let value = try reader.value(depth: 1)
            let json = String(decoding: reader.bytes[start..<reader.position], as: UTF8.self)
            guard members.updateValue((value, json), forKey: name) == nil else {
                throw Failure(message: "the member \"\(name)\" is there twice")
            }
        }
        reader.skipSpace()
        guard reader.position == bytes.count else { throw reader.failure("something follows the object") }
        return members
    }

    /// The texts of an array's elements.
    static func elements(of bytes: [UInt8]) throws(Failure) -> [[UInt8]] {
        var reader = JSONReader(bytes)
        var elements: [[UInt8]] = []
        reader.skipSpace()
        guard reader.take("[") else { throw reader.failure("an array is expected") }
        reader.skipSpace()
        if reader.take("]") { return elements }
        repeat {
            reader.skipSpace()
            let start = reader.position
            _ = try reader.value(depth: 1)
            elements.append(Array(reader.bytes[start..<reader.position]))
            reader.skipSpace()
        } while reader.take(",")
        guard reader.take("]") else { throw reader.failure("',' or ']' is expected") }
        return elements
    }

    private func failure(_ message: String) -> Failure { Failure(message: "\(message), at byte \(position)") }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ byte: Character) -> Bool {
        guard current == byte.asciiValue else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(Failure) -> Value {
        guard depth <= Self.maxDepth else { throw failure("the JSON is nested too deeply") }
        let start = position
        switch current {
        case UInt8(ascii: "\""):
            return .string(try string())
        case UInt8(ascii: "{"):
            try object { (reader, _) throws(Failure) in _ = try reader.value(depth: depth + 1) }
        case UInt8(ascii: "["):
            if let strings = try array(depth: depth) { return .strings(strings) }
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        default: try number()
        }
        return .other(Substring(decoding: bytes[start..<position], as: UTF8.self).utf8)
    }

    private mutating func object(_ member: (inout JSONReader, String) throws(Failure) -> Void) throws(Failure) {
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

    /// The elements if all are strings.
    private mutating func array(depth: Int) throws(Failure) -> [String]? {
        guard take("[") else { throw failure("an array is expected") }
        var strings: [String]? = []
        skipSpace()
        if take("]") { return strings }
        repeat {
            skipSpace()
            if case .string(let text) = try value(depth: depth + 1) { strings?.append(text) } else { strings = nil }
            skipSpace()
        } while take(",")
        guard take("]") else { throw failure("',' or ']' is expected") }
        return strings
    }

    private mutating func word(_ word: String) throws(Failure) {
        for byte in word.utf8 {
            guard current == byte else { throw failure("a value is expected") }
            position += 1
        }
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = current, (0x30...0x39).contains(byte) { position += 1 }
        return position - start
    }

    private mutating func number() throws(Failure) {
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

    private mutating func string() throws(Failure) -> String {
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

    private mutating func escape(into text: inout [UInt8]) throws(Failure) {
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

    private mutating func scalar() throws(Failure) -> Character {
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

    private mutating func fourDigits() throws(Failure) -> UInt32 {
        guard position + 4 <= bytes.count,
            let code = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16),
            bytes[position] != UInt8(ascii: "+"), bytes[position] != UInt8(ascii: "-")
        else { throw failure("four hexadecimal digits are expected") }
        position += 4
        return code
    }
}

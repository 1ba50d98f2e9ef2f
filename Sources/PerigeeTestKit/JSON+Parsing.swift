// Parsing JSON, strictly: nothing but RFC 8259, no duplicate names, no lone surrogates, at most 512 levels.

import Glibc

extension JSON {
    /// Parses a whole JSON text; what is wrong is said with its byte offset.
    public init(parsing text: String) throws(ClientError) {
        var parser = Parser(bytes: Array(text.utf8))
        self = try parser.parseDocument()
    }

    private struct Parser {
        let bytes: [UInt8]
        var index = 0
        var depth = 0

        mutating func parseDocument() throws(ClientError) -> JSON {
            let value = try parseValue()
            skipSpace()
            guard index == bytes.count else { throw failure("end of text") }
            return value
        }

        private mutating func parseValue() throws(ClientError) -> JSON {
            skipSpace()
            guard index < bytes.count else { throw failure("a value") }
            depth += 1
            defer { depth -= 1 }
            guard depth <= 512 else { throw failure("at most 512 levels") }
            switch bytes[index] {
            case UInt8(ascii: "{"): return try parseObject()
            case UInt8(ascii: "["): return try parseArray()
            case UInt8(ascii: "\""): return .string(try parseString())
            case UInt8(ascii: "t"): return try parseWord("true", as: .bool(true))
            case UInt8(ascii: "f"): return try parseWord("false", as: .bool(false))
            case UInt8(ascii: "n"): return try parseWord("null", as: .null)
            default: return try parseNumber()
            }
        }

        private mutating func parseObject() throws(ClientError) -> JSON {
            index += 1
            var members: [String: JSON] = [:]
            if skip("}") { return .object(members) }
            repeat {
                skipSpace()
                let name = try parseString()
                guard skip(":") else { throw failure("a colon") }
                guard members.updateValue(try parseValue(), forKey: name) == nil else {
                    throw failure("a name other than \"\(name)\" once more")
                }
            } while skip(",")
            guard skip("}") else { throw failure("a comma or the object's end") }
            return .object(members)
        }

        private mutating func parseArray() throws(ClientError) -> JSON {
            index += 1
            var elements: [JSON] = []
            if skip("]") { return .array(elements) }
            repeat { elements.append(try parseValue()) } while skip(",")
            guard skip("]") else { throw failure("a comma or the array's end") }
            return .array(elements)
        }

        private mutating func parseWord(_ word: String, as value: JSON) throws(ClientError) -> JSON {
            guard bytes[index...].starts(with: word.utf8) else { throw failure("a value") }
            index += word.utf8.count
            return value
        }

        private mutating func parseNumber() throws(ClientError) -> JSON {
            let start = index
            _ = take("-")
            if !take("0") { try takeDigits() }
            if take(".") { try takeDigits() }
            if take("e") || take("E") {
                _ = take("+") || take("-")
                try takeDigits()
            }
            guard let number = Double(String(decoding: bytes[start..<index], as: UTF8.self)), number.isFinite else {
                throw failure("a number that a double can hold")
            }
            return .number(number)
        }

        private mutating func parseString() throws(ClientError) -> String {
            guard take("\"") else { throw failure("a string") }
            var text: [UInt8] = []
            while index < bytes.count {
                let plain = bytes[index...].prefix {
                    $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
                }
                text += plain
                index = plain.endIndex
                if take("\"") { return String(decoding: text, as: UTF8.self) }
                guard take("\\") else { break }
                text += Array(String(try parseEscape()).utf8)
            }
            throw failure("the string's end")
        }

        private mutating func parseEscape() throws(ClientError) -> UnicodeScalar {
            guard index < bytes.count else { throw failure("an escape") }
            index += 1
            switch bytes[index - 1] {
            case UInt8(ascii: "\""): return "\""
            case UInt8(ascii: "\\"): return "\\"
            case UInt8(ascii: "/"): return "/"
            case UInt8(ascii: "b"): return "\u{8}"
            case UInt8(ascii: "f"): return "\u{C}"
            case UInt8(ascii: "n"): return "\n"
            case UInt8(ascii: "r"): return "\r"
            case UInt8(ascii: "t"): return "\t"
            case UInt8(ascii: "u"): return try parseUnicodeEscape()
            default: throw failure("an escape")
            }
        }

        private mutating func parseUnicodeEscape() throws(ClientError) -> UnicodeScalar {
            let unit = try parseHex()
            if let scalar = UnicodeScalar(unit) { return scalar }
            guard unit < 0xDC00, take("\\"), take("u") else { throw failure("a surrogate pair") }
            let low = try parseHex()
            guard (0xDC00...0xDFFF).contains(low),
                let scalar = UnicodeScalar(0x10000 + (unit - 0xD800) << 10 + low - 0xDC00)
            else { throw failure("a low surrogate") }
            return scalar
        }

        private mutating func parseHex() throws(ClientError) -> UInt32 {
            let digits = String(decoding: bytes[index...].prefix(4), as: UTF8.self)
            guard digits.utf8.count == 4, digits.allSatisfy(\.isHexDigit), let unit = UInt32(digits, radix: 16) else {
                throw failure("four hexadecimal digits")
            }
            index += 4
            return unit
        }

        private mutating func takeDigits() throws(ClientError) {
            let digits = bytes[index...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard !digits.isEmpty else { throw failure("a digit") }
            index = digits.endIndex
        }

        private mutating func take(_ character: UnicodeScalar) -> Bool {
            guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
            index += 1
            return true
        }

        private mutating func skip(_ character: UnicodeScalar) -> Bool {
            skipSpace()
            return take(character)
        }

        private mutating func skipSpace() {
            while index < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) { index += 1 }
        }

        private func failure(_ wanted: String) -> ClientError {
            .violation(
                "not JSON at byte \(index): expected \(wanted), got \(ClientError.excerpt(bytes[index...].prefix(40)))")
        }
    }
}

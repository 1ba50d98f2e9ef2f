// The bytes of HTTP/1.1: names for those with a meaning of their own, and the character classes of RFC 9110 and RFC 3986.
// Two 64-bit masks answer faster than a table in memory.

/// Names for single bytes, so that grammar code reads as grammar.
enum ASCII {
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let space: UInt8 = 0x20
    static let numberSign: UInt8 = 0x23
    static let percent: UInt8 = 0x25
    static let ampersand: UInt8 = 0x26
    static let plus: UInt8 = 0x2B
    static let comma: UInt8 = 0x2C
    static let dot: UInt8 = 0x2E
    static let slash: UInt8 = 0x2F
    static let zero: UInt8 = 0x30
    static let colon: UInt8 = 0x3A
    static let semicolon: UInt8 = 0x3B
    static let equals: UInt8 = 0x3D
    static let question: UInt8 = 0x3F
    static let leftBracket: UInt8 = 0x5B
    static let rightBracket: UInt8 = 0x5D
}

extension UInt8 {
    /// Whether the byte is allowed in a method or field name: `tchar` of RFC 9110, section 5.6.2.
    var isTokenByte: Bool {
        // One bit for each of !#$%&'*+-.0-9 and, from 64 on, A-Z^_`a-z|~
        let mask: UInt64 = self < 64 ? 0x03FF_6CFA_0000_0000 : 0x57FF_FFFF_C7FF_FFFE
        return self < 128 && (mask >> UInt64(self & 63)) & 1 == 1
    }

    /// Whether the byte is allowed in a request target: visible ASCII without `#`, which would begin a fragment.
    ///
    /// Wider than RFC 3986, since browsers send `|`, `{` and similar bytes unescaped; none of them can end the target.
    var isTargetByte: Bool {
        self > ASCII.space && self < 0x7F && self != ASCII.numberSign
    }

    /// Whether the byte is a letter, a digit or one of `-._~`: `unreserved` of RFC 3986, section 2.3.
    var isUnreserved: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, ASCII.dot, 0x5F, 0x7E: true
        default: false
        }
    }

    /// Whether the byte is a C0 control or DEL.
    var isControl: Bool {
        self < ASCII.space || self == 0x7F
    }

    /// Whether the byte is optional white space of a field: space or tab.
    var isBlank: Bool {
        self == ASCII.space || self == ASCII.tab
    }

    /// Whether the byte is a decimal digit.
    var isDigit: Bool {
        self &- ASCII.zero < 10
    }

    /// The value of a hexadecimal digit of either case, nil for any other byte.
    var hexValue: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x41...0x46: self - 0x41 + 10
        case 0x61...0x66: self - 0x61 + 10
        default: nil
        }
    }

    /// The byte with `A` to `Z` turned into `a` to `z`.
    var lowercased: UInt8 {
        self &- 0x41 < 26 ? self | 0x20 : self
    }
}

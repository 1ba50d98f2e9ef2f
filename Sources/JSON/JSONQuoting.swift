// Text as a JSON string that is also a YAML double-quoted scalar and safe in a terminal: every character that could break a
// line, start an escape sequence or turn the direction of writing is escaped.

/// Quotes text as JSON (RFC 8259, section 7), and tells which characters are unsafe to show.
public enum JSONQuoting {
    /// The text between double quotes.
    public static func quoted(_ text: some StringProtocol) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case _ where isUnsafe(scalar): quoted += escape(scalar)
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// The text without quotes, only unsafe characters escaped: for a line that a person reads.
    public static func bare(_ text: some StringProtocol) -> String {
        guard text.unicodeScalars.contains(where: isUnsafe) else { return String(text) }
        return text.unicodeScalars.reduce(into: "") { bare, scalar in
            if isUnsafe(scalar) { bare += escape(scalar) } else { bare.unicodeScalars.append(scalar) }
        }
    }

    /// Whether a character must not reach a terminal or a log as it is: controls, line breaks, direction marks,
    /// non-characters.
    public static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0...0x1F, 0x7F...0x9F: true
        case 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        case 0xFEFF, 0xFFFE, 0xFFFF: true
        default: false
        }
    }

    /// `\uXXXX`, for a character of the basic plane.
    public static func escape(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}

// Percent-encoding (RFC 3986, section 2.1).

/// Encodes text for a URL, and decodes it.
public enum Percent {
    /// Decodes every `%XX`, and `+` as a space if `plusAsSpace` is set.
    ///
    /// - Returns: nil when an escape is malformed, or when the decoded bytes are not UTF-8.
    public static func decode(_ text: some StringProtocol, plusAsSpace: Bool = false) -> String? {
        decode(Array(text.utf8)[...], plusAsSpace: plusAsSpace)
    }

    /// Decodes the bytes of a text in the same way.
    public static func decode(_ bytes: ArraySlice<UInt8>, plusAsSpace: Bool = false) -> String? {
        decode(bytes, plusAsSpace: plusAsSpace, keepsBrokenEscapes: false).flatMap { text(of: $0) }
    }

    /// Encodes every byte of the text's UTF-8 except letters, digits and `-._~`, so that it is valid anywhere in a URL.
    public static func encode(_ text: some StringProtocol) -> String {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            if byte.isUnreserved {
                encoded.append(byte)
            } else {
                encoded += [ASCII.percent, hexDigit(byte >> 4), hexDigit(byte & 0xF)]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// Decodes a part of a form without errors: a broken escape stays as it is.
    /// - Parameter isUTF8: set to false when the bytes are not UTF-8; those become U+FFFD.
    static func decodeLeniently(_ bytes: ArraySlice<UInt8>, _ isUTF8: inout Bool) -> String {
        let decoded = decode(bytes, plusAsSpace: true, keepsBrokenEscapes: true) ?? []
        if let text = text(of: decoded) { return text }
        isUTF8 = false
        return String(decoding: decoded, as: UTF8.self)
    }

    private static func decode(
        _ bytes: ArraySlice<UInt8>, plusAsSpace: Bool, keepsBrokenEscapes: Bool
    ) -> [UInt8]? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            index += 1
            if byte == ASCII.percent, let value = escapedByte(bytes[index...].prefix(2)) {
                decoded.append(value)
                index += 2
            } else if byte == ASCII.percent, !keepsBrokenEscapes {
                return nil
            } else {
                decoded.append(byte == ASCII.plus && plusAsSpace ? ASCII.space : byte)
            }
        }
        return decoded
    }

    /// The text, or nil for bytes that are not UTF-8.
    private static func text(of bytes: [UInt8]) -> String? {
        guard let text = try? UTF8Span(validating: bytes.span) else { return nil }
        return String(copying: text)
    }

    private static func escapedByte(_ digits: ArraySlice<UInt8>) -> UInt8? {
        guard digits.count == 2, let high = digits.first?.hexValue, let low = digits.last?.hexValue else { return nil }
        return high << 4 | low
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? ASCII.zero + value : 0x41 + value - 10
    }
}

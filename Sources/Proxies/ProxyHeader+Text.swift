// Version 1: one line, `PROXY TCP4 192.0.2.7 198.51.100.1 56324 443`.

import EventLoop

extension ProxyHeader {
    static let textSignature = Array("PROXY ".utf8)
    /// The longest line, its end included.
    private static let longestLine = 107

    static func readText(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        guard agrees(bytes, with: textSignature) else { return .failure(.noSignature) }
        let window = UnsafeRawBufferPointer(rebasing: bytes.prefix(longestLine))
        guard let end = window.firstIndex(of: UInt8(ascii: "\n")) else {
            // A lone carriage return cannot become a line end any more.
            if let lone = window.firstIndex(of: UInt8(ascii: "\r")), lone + 1 < window.count {
                return .failure(.malformed)
            }
            return bytes.count >= longestLine ? .failure(.tooLong) : .needMore
        }
        guard end > textSignature.count, window.firstIndex(of: UInt8(ascii: "\r")) == end - 1 else {
            return .failure(.malformed)
        }
        return line(window[textSignature.count..<end - 1], length: end + 1)
    }

    /// What follows `PROXY `.
    private static func line(_ bytes: Slice<UnsafeRawBufferPointer>, length: Int) -> Outcome {
        guard bytes.allSatisfy({ (0x20...0x7E).contains($0) }) else { return .failure(.malformed) }
        let words = String(decoding: bytes, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
        // What follows UNKNOWN is to be ignored.
        if words[0] == "UNKNOWN" { return .header(source: nil, length: length) }
        guard words.count == 5, words[0] == "TCP4" || words[0] == "TCP6",
            let sourcePort = NumericAddress.port(words[3]), let targetPort = NumericAddress.port(words[4]),
            let source = NumericAddress.parse(words[1], port: sourcePort),
            let target = NumericAddress.parse(words[2], port: targetPort),
            source.isIPv4 == (words[0] == "TCP4"), target.isIPv4 == source.isIPv4
        else { return .failure(.malformed) }
        return .header(source: source.unmapped, length: length)
    }
}

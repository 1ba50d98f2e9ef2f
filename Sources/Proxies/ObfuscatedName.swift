// The names behind which a proxy hides a node or a port (RFC 7239, section 6.3).

/// `_` and at least one letter, digit, `.`, `_` or `-`.
enum ObfuscatedName {
    static func isValid(_ text: some StringProtocol) -> Bool {
        text.utf8.first == UInt8(ascii: "_") && text.utf8.count >= 2
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}

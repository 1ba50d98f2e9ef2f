// What is valid UTF-8, as the standard library has it.

func isUTF8(_ bytes: some Collection<UInt8>) -> Bool {
    String(validating: bytes, as: UTF8.self) != nil
}

/// Whether valid text can begin with these bytes: they, or they and an end of a character, are valid.
func isUTF8Prefix(_ bytes: some Collection<UInt8>) -> Bool {
    for cut in 0...min(3, bytes.count) where isUTF8(bytes.dropLast(cut)) {
        if cut == 0 || isCharacterPrefix(Array(bytes.suffix(cut))) { return true }
    }
    return false
}

/// Whether a character begins with these bytes and goes on. Any character that has a second byte has one of these among
/// its kind, and any third and fourth byte may be 0x80.
private func isCharacterPrefix(_ bytes: [UInt8]) -> Bool {
    for second in [0x80, 0x90, 0xA0] as [UInt8] {
        for length in 1...3 where isUTF8(bytes + [second] + Array(repeating: 0x80, count: length - 1)) {
            let text = String(validating: bytes + [second] + Array(repeating: 0x80, count: length - 1), as: UTF8.self)!
            if text.unicodeScalars.count == 1 { return true }
        }
    }
    return false
}

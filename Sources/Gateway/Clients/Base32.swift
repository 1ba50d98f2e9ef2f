// Numbers as short opaque text, in Crockford's alphabet: no letters that are mistaken for digits, nothing that a shell or a URL
// would treat specially.

/// Base 32 with digits and lower-case letters.
package enum Base32 {
    static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    /// The value of each letter, 0xFF for what is none.
    static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, letter) in alphabet.enumerated() { values[Int(letter)] = UInt8(value) }
        return values
    }()

    /// 13 characters, which a `String` holds without the heap.
    package static func text(of number: UInt64) -> String {
        String(unsafeUninitializedCapacity: 13) { output in
            for index in 0..<13 { output[index] = alphabet[Int(number >> UInt64(60 - 5 * index) & 31)] }
            return 13
        }
    }
}

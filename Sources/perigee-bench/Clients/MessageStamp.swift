// The time of sending, at the front of a message: "T" and sixteen hexadecimal digits of nanoseconds. Text, because text
// is what most clients send and what costs a server most.

/// Writes and reads the time at a message's front.
enum MessageStamp {
    /// The bytes it takes.
    static let count = 17

    private static let mark = UInt8(ascii: "T")
    private static let digits: StaticString = "0123456789abcdef"

    static func write(_ nanoseconds: UInt64, to bytes: UnsafeMutableRawPointer) {
        bytes.storeBytes(of: mark, as: UInt8.self)
        for place in 0..<16 {
            let digit = Int(nanoseconds >> UInt64(60 - 4 * place)) & 15
            bytes.storeBytes(of: digits.utf8Start[digit], toByteOffset: place + 1, as: UInt8.self)
        }
    }

    /// The time in `payload`; nil for a message that is not one of the generator's.
    static func read(_ payload: UnsafeRawBufferPointer) -> UInt64? {
        guard payload.count >= count, payload[0] == mark else { return nil }
        var nanoseconds: UInt64 = 0
        for byte in payload[1..<count] {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                nanoseconds = nanoseconds << 4 | UInt64(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"):
                nanoseconds = nanoseconds << 4 | UInt64(byte - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return nanoseconds
    }
}

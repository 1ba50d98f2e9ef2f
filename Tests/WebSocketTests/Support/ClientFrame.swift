// A client's frame, valid or invalid in every way that a test needs, encoded byte by byte and without the code under test.

struct ClientFrame {
    /// The form of the length.
    enum LengthForm {
        case minimal, twoBytes, eightBytes
    }

    var opcode: UInt8
    var payload: [UInt8] = []
    var fin = true
    var rsv: UInt8 = 0
    var isMasked = true
    var key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
    var lengthForm = LengthForm.minimal
    /// The length in the header, where it differs from that of the payload.
    var declared: UInt64?

    var bytes: [UInt8] {
        let length = declared ?? UInt64(payload.count)
        let mask: UInt8 = isMasked ? 0x80 : 0
        var bytes = [opcode | rsv << 4 | (fin ? 0x80 : 0)]
        if lengthForm == .eightBytes || length > 0xFFFF {
            bytes.append(mask | 127)
            for shift in stride(from: UInt64(56), through: 0, by: -8) { bytes.append(UInt8(length >> shift & 0xFF)) }
        } else if lengthForm == .twoBytes || length > 125 {
            bytes += [mask | 126, UInt8(length >> 8), UInt8(length & 0xFF)]
        } else {
            bytes.append(mask | UInt8(length))
        }
        guard isMasked else { return bytes + payload }
        return bytes + key + payload.enumerated().map { $1 ^ key[$0 % 4] }
    }

    static func text(_ text: String, fin: Bool = true) -> [UInt8] {
        ClientFrame(opcode: 1, payload: Array(text.utf8), fin: fin).bytes
    }

    static func text(_ payload: [UInt8], fin: Bool = true) -> [UInt8] {
        ClientFrame(opcode: 1, payload: payload, fin: fin).bytes
    }

    static func binary(_ payload: [UInt8], fin: Bool = true) -> [UInt8] {
        ClientFrame(opcode: 2, payload: payload, fin: fin).bytes
    }

    static func continuation(_ payload: [UInt8], fin: Bool) -> [UInt8] {
        ClientFrame(opcode: 0, payload: payload, fin: fin).bytes
    }

    static func ping(_ payload: [UInt8] = []) -> [UInt8] {
        ClientFrame(opcode: 9, payload: payload).bytes
    }

    static func pong(_ payload: [UInt8] = []) -> [UInt8] {
        ClientFrame(opcode: 10, payload: payload).bytes
    }

    static func close(_ payload: [UInt8] = []) -> [UInt8] {
        ClientFrame(opcode: 8, payload: payload).bytes
    }

    static func close(_ code: UInt16, _ reason: String = "") -> [UInt8] {
        close([UInt8(code >> 8), UInt8(code & 0xFF)] + Array(reason.utf8))
    }
}

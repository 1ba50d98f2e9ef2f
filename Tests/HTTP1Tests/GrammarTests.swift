// The character classes, each against the RFC's own list.

import Testing

@testable import HTTP1

@Suite("Grammar", .bounded)
struct GrammarTests {
    @Test("takes exactly the tchar of RFC 9110 as token bytes")
    func tokenBytes() {
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        let token = Set("!#$%&'*+-.^_`|~0123456789\(letters)".utf8)
        for byte in UInt8.min...UInt8.max { #expect(byte.isTokenByte == token.contains(byte)) }
    }

    @Test("takes the visible ASCII but # as target bytes")
    func targetBytes() {
        for byte in UInt8.min...UInt8.max {
            #expect(byte.isTargetByte == (0x21...0x7E ~= byte && byte != UInt8(ascii: "#")))
        }
    }

    @Test("reads hexadecimal digits of either case only")
    func hexDigits() {
        for byte in UInt8.min...UInt8.max {
            let character = Character(Unicode.Scalar(byte))
            #expect(byte.hexValue.map(Int.init) == (character.isASCII ? character.hexDigitValue : nil))
        }
    }

    @Test("finds each control byte at each place")
    func controls() {
        for byte in UInt8.min...UInt8.max {
            for place in 0..<20 {
                var bytes = [UInt8](repeating: 0xE2, count: 20)
                bytes[place] = byte
                let isControl = byte < 0x20 || byte == 0x7F
                #expect(bytes.span.bytes.firstControl(in: 0..<20) == (isControl ? place : 20))
                #expect(bytes.span.bytes.firstControl(in: 3..<20) == (isControl && place >= 3 ? place : 20))
            }
        }
    }

    @Test("finds the first of two control bytes")
    func firstOfTwo() {
        for first in 0..<18 {
            for second in first + 1..<19 {
                var bytes = [UInt8](repeating: 0x20, count: 20)
                bytes[first] = 0x0D
                bytes[second] = 0x7F
                #expect(bytes.span.bytes.firstControl(in: 0..<20) == first)
            }
        }
    }
}

// The UTF-8 check compared with tables and with the standard library.

import SeededGenerator
import Testing
import WebSocket

@Suite(.bounded) struct UTF8ValidatorTests {
    private static let valid =
        ["", "a", "κόσμε", "Hello, world, in sixteen bytes and more", "\u{FEFF}bom", "é€🎉", "🎉é€"].map {
            Array($0.utf8)
        }
        + borders.map { Array(String(Unicode.Scalar($0)!).utf8) }

    /// The first and last characters of each length, those beside the surrogates, and some noncharacters, which are valid.
    private static let borders: [UInt32] = [
        0, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFDD0, 0xFFFD, 0xFFFE, 0xFFFF, 0x10000, 0x1FFFF, 0x10FFFF,
    ]

    /// Each fails at its last byte and not before it.
    private static let refused: [[UInt8]] = [
        [0x80], [0xBF], [0x61, 0x80], [0xC3, 0xA9, 0x80], [0xE2, 0x82, 0xAC, 0xBF],  // continuations of nothing
        [0xC0], [0xC1], [0xE0, 0x80], [0xE0, 0x9F], [0xF0, 0x80], [0xF0, 0x8F],  // overlong
        [0xED, 0xA0], [0xED, 0xAF], [0xED, 0xB0], [0xED, 0xBF],  // surrogates
        [0xF4, 0x90], [0xF4, 0xBF], [0xF5], [0xF8], [0xFC], [0xFE], [0xFF],  // beyond Unicode, and no lead at all
        [0xC3, 0x61], [0xC3, 0xC3], [0xE2, 0x61], [0xE2, 0x82, 0x61], [0xE2, 0x82, 0xC3],  // cut by another character
        [0xF0, 0x9F, 0x61], [0xF0, 0x9F, 0x8E, 0x61], [0xF0, 0x9F, 0x8E, 0xC0], [0xE2, 0xE2], [0xF0, 0xFF],
    ]

    private static let cut: [[UInt8]] = [
        [0xC3], [0xE2], [0xE2, 0x82], [0xF0], [0xF0, 0x9F], [0xF0, 0x9F, 0x8E], [0xE0, 0xA0], [0xED, 0x9F],
        [0xF4, 0x8F], [0xF4, 0x8F, 0xBF],
    ]

    @Test("accepts valid text at every distance from a word's border", arguments: valid)
    func accepts(_ text: [UInt8]) {
        for count in 0...40 {
            #expect(isValid(padded(text, count)))
            #expect(isValid(padded(text, count) + padded([], 20)))
        }
    }

    @Test("fails at the first byte that no text can have there", arguments: refused)
    func refuses(_ bytes: [UInt8]) {
        for count in 0...40 {
            let start = padded(bytes.dropLast(), count)
            var validator = UTF8Validator()
            #expect(start.withUnsafeBytes { validator.consume($0) })
            #expect(!bytes.suffix(1).withUnsafeBytes { validator.consume($0) })
            #expect(!isValid(padded(bytes, count)))
            #expect(!isValid(padded(bytes, count) + padded([], 20)))
        }
    }

    @Test("is incomplete within a character", arguments: cut)
    func staysOpen(_ bytes: [UInt8]) {
        for count in 0...40 {
            var validator = UTF8Validator()
            #expect(padded(bytes, count).withUnsafeBytes { validator.consume($0) })
            #expect(!validator.isComplete)
        }
    }

    @Test("fails for every byte after the first failure")
    func staysRefused() {
        var validator = UTF8Validator()
        #expect(![0xFF].withUnsafeBytes { validator.consume($0) })
        for byte in 0...UInt8.max {
            #expect(![byte].withUnsafeBytes { validator.consume($0) })
        }
        #expect(!validator.isComplete)
    }

    @Test("accepts characters from all of Unicode")
    func characters() {
        for value in stride(from: UInt32(0x80), through: 0x10FFFF, by: 61) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let bytes = Array(String(scalar).utf8) + [UInt8](repeating: 0x61, count: 16)
            if !isValid(bytes) { Issue.record("U+\(String(value, radix: 16))") }
        }
    }

    @Test("agrees with the standard library on every pair of first bytes")
    func everyPair() {
        for first in UInt8(0x80)...0xFF {
            for second in UInt8.min...UInt8.max {
                let bytes = [first, second, 0x80, 0x80] + [UInt8](repeating: 0x61, count: 16)
                #expect(isValid(bytes) == isUTF8(bytes))
                #expect(isValid([first, second, 0x80] + bytes[4...]) == isUTF8([first, second, 0x80] + bytes[4...]))
            }
        }
    }

    @Test("agrees with the standard library on random bytes, in pieces of any size", arguments: 0..<4)
    func random(_ seed: Int) {
        var generator = SeededGenerator(seed: 50 + UInt64(seed))
        for _ in 0..<1500 {
            let bytes = randomBytes(&generator)
            let expected = isUTF8(bytes)
            #expect(isValid(bytes) == expected, "\(bytes)")
            #expect(isValidInPieces(bytes, &generator) == expected, "\(bytes)")
        }
    }

    @Test("keeps at most four bytes of state")
    func size() {
        #expect(MemoryLayout<UTF8Validator>.size <= 4)
    }

    /// Ranges of characters of one, two, three and four bytes.
    private static let lengths: [ClosedRange<UInt32>] = [0x61...0x7A, 0x80...0x7FF, 0x800...0xD7FF, 0x10000...0x10FFFF]

    /// `bytes` after `count` letters.
    private func padded(_ bytes: some Sequence<UInt8>, _ count: Int) -> [UInt8] {
        [UInt8](repeating: 0x61, count: count) + bytes
    }

    private func isValid(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { UTF8Validator.isValid($0) }
    }

    private func isValidInPieces(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> Bool {
        var validator = UTF8Validator()
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 0...20, using: &generator))
            guard piece.withUnsafeBytes({ validator.consume($0) }) else { return false }
            rest = rest.dropFirst(piece.count)
        }
        return validator.isComplete
    }

    /// Characters of all lengths, with a byte changed one time in two.
    private func randomBytes(_ generator: inout SeededGenerator) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 0...25, using: &generator) {
            let range = Self.lengths.randomElement(using: &generator)!
            bytes += String(Unicode.Scalar(UInt32.random(in: range, using: &generator))!).utf8
        }
        if !bytes.isEmpty, generator.oneIn(2) {
            bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8(truncatingIfNeeded: generator.next())
        }
        return bytes
    }
}

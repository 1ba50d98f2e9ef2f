// Numbers to JSON and back, compared with Swift's own conversions.

import SeededGenerator
import Testing

@testable import Scripting

@Suite("json: numbers", .bounded)
struct JSONNumberTests {
    let stage: Stage

    init() throws {
        stage = try Stage(
            """
            function onMessage(conn, bytes, binary)
                local rows, format = {}, bytes:sub(1, 1)
                for at = 2, #bytes, 8 do rows[#rows + 1] = json.encode((string.unpack("<" .. format, bytes, at))) end
                conn:send(table.concat(rows, " "))
            end
            function onOpen(conn)
                local rows = {}
                for i, n in ipairs(json.decode(conn.path)) do rows[i] = string.pack("<d", n) .. math.type(n):sub(1, 1) end
                conn:send(crypto.hex(table.concat(rows)))
            end
            """)
    }

    private func encode(_ format: Character, _ words: [UInt64]) -> [Substring] {
        stage.host.calls = []
        var bytes = Array(String(format).utf8)
        for word in words { withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) } }
        let outcome = bytes.withUnsafeBytes { stage.engine.onMessage(stage.main, stage.first, $0, binary: true) }
        #expect(outcome.isDone)
        return (stage.host.sent.first ?? "").split(separator: " ")
    }

    /// The digits of a number without zeros at either end.
    private func digits(_ text: some StringProtocol) -> Substring {
        let mantissa = text.prefix { $0 != "e" }.filter(\.isNumber).drop { $0 == "0" }
        var digits = Substring(mantissa)
        while digits.last == "0" { digits.removeLast() }
        return digits
    }

    private func check(_ values: [Double]) {
        let texts = encode("d", values.map(\.bitPattern))
        #expect(texts.count == values.count)
        for (value, text) in zip(values, texts) {
            #expect(Double(text) == value, "\(value): \(text)")
            #expect(digits(text).count == digits(value.description).count, "\(value): \(text)")
        }
    }

    @Test("doubles of every size have the fewest digits that read back equal", arguments: 0..<10)
    func doubles(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed) + 1)
        for _ in 0..<10 {
            check((0..<1_000).map { _ in Double(bitPattern: random.next()) }.filter(\.isFinite))
            check((0..<1_000).map { _ in Double(Int.random(in: -1_000_000_000...1_000_000_000, using: &random)) / 1e4 })
            check((0..<1_000).map { _ in Double.random(in: -1...1, using: &random) })
        }
    }

    @Test("powers of two and of ten, their neighbours, and the smallest doubles")
    func edges() {
        let twos = (-1074...1023).map { Double(sign: .plus, exponent: $0, significand: 1) }
        let tens = (-307...308).compactMap { Double("1e\($0)") }
        let values = (twos + tens).flatMap { [$0, $0.nextUp, $0.nextDown] }.filter { $0.isFinite && $0 != 0 }
        #expect(values.count > 8_000)
        check(values)
        check((1..<2_000).map { Double(bitPattern: UInt64($0)) })
    }

    @Test("every 64-bit integer keeps all its digits")
    func integers() {
        var random = SeededGenerator(seed: 5)
        var values = [0, 1, -1, 9, 10, 99, 100, Int.max, Int.min, Int.max - 1, Int.min + 1, 1 << 53, (1 << 53) + 1]
        for shift in 0..<64 { values.append(Int(bitPattern: UInt(random.next() >> UInt64(shift)))) }
        for _ in 0..<10_000 { values.append(Int(truncatingIfNeeded: random.next())) }
        let texts = encode("j", values.map { UInt64(bitPattern: Int64($0)) })
        #expect(texts.map(String.init) == values.map(String.init))
    }

    @Test("decimal texts are read as the nearest double", arguments: 0..<10)
    func reading(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed) + 100)
        let texts = (0..<1_000).map { _ in Self.decimal(&random) }
        stage.host.texts[.path] = "[" + texts.joined(separator: ",") + "]"
        stage.host.calls = []
        #expect(stage.open().isDone)
        let shown = Array((stage.host.sent.first ?? "").utf8)
        #expect(shown.count == texts.count * 18)
        for (index, text) in texts.enumerated() {
            let row = String(decoding: shown[index * 18..<index * 18 + 16], as: UTF8.self)
            let word = try #require(UInt64(row, radix: 16)).byteSwapped
            #expect(Double(bitPattern: word) == Double(text), "\(text)")
        }
    }

    private static func decimal(_ random: inout SeededGenerator) -> String {
        var text = Bool.random(using: &random) ? "-" : ""
        text += String(random.next() >> UInt64.random(in: 0..<64, using: &random))
        if Bool.random(using: &random) {
            text += "."
            for _ in 0..<Int.random(in: 1...20, using: &random) { text += String(random.next() % 10) }
        }
        if random.next() % 3 == 0 { text += "e\(Int.random(in: -330...280, using: &random))" }
        return text
    }

    @Test("a whole number that 64 bits hold is an integer, a larger one a float")
    func kinds() throws {
        let rows = [
            ("9223372036854775807", "i"), ("-9223372036854775808", "i"), ("9223372036854775808", "f"),
            ("-9223372036854775809", "f"), ("999999999999999999", "i"), ("1000000000000000000", "i"),
            ("18446744073709551616", "f"), ("99999999999999999999", "f"), ("1.0", "i"), ("1e3", "i"), ("1e17", "f"),
            ("0.5", "f"), ("9007199254740991.0", "i"), ("9007199254740992.0", "f"), ("-0.0", "f"), ("-0", "f"),
            ("0.0", "i"), ("1e-400", "i"),
        ]
        stage.host.texts[.path] = "[" + rows.map(\.0).joined(separator: ",") + "]"
        #expect(stage.open().isDone)
        let shown = Array((stage.host.sent.first ?? "").utf8)
        let kinds = stride(from: 16, to: shown.count, by: 18).map {
            shown[$0..<$0 + 2].elementsEqual("69".utf8) ? "i" : "f"
        }
        #expect(kinds == rows.map(\.1))
    }
}

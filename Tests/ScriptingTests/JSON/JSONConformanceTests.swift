// Texts from common conformance tests for JSON parsers, and the places of mistakes.

import Testing

@testable import Scripting

@Suite("json: conformance", .bounded)
struct JSONConformanceTests {
    let stage: Stage

    init() throws {
        stage = try Stage(
            """
            function onMessage(conn, text)
                local value, why = json.decode(text)
                conn:send(value == nil and "no " .. why or "yes " .. json.encode(value))
            end
            """)
    }

    private func answer(_ bytes: [UInt8], binary: Bool = true) -> String {
        stage.host.calls = []
        let outcome = bytes.withUnsafeBytes {
            stage.engine.onMessage(stage.main, stage.first, $0, binary: binary)
        }
        return outcome.error.map { "raised \($0)" } ?? stage.host.sent.first ?? "nothing"
    }

    @Test("valid texts are accepted and written again as they are")
    func valid() {
        #expect(JSONCases.valid.count + JSONCases.taken.count >= 95)
        for (text, again) in JSONCases.valid + JSONCases.taken {
            for binary in [true, false] {
                let answer = answer(JSONCases.bytes(text), binary: binary)
                let expected = again.map { "yes " + String(decoding: JSONCases.bytes($0), as: UTF8.self) }
                #expect(expected.map { $0 == answer } ?? answer.hasPrefix("yes "), "\(text): \(answer)")
            }
        }
    }

    @Test("invalid texts are refused with the place of the mistake")
    func invalid() {
        #expect(JSONCases.invalid.count + JSONCases.refused.count >= 210)
        let deep = [String(repeating: "[", count: 100_000), String(repeating: #"[{"":"#, count: 50_000)]
        for text in JSONCases.invalid + JSONCases.refused + deep {
            let answer = answer(JSONCases.bytes(text))
            #expect(answer.hasPrefix("no invalid JSON: line "), "\(text.prefix(60)): \(answer)")
        }
    }

    @Test("a valid text that is cut anywhere is refused")
    func truncated() {
        var cut = 0
        for (text, _) in JSONCases.valid where "[{\"".contains(text.first ?? " ") {
            let bytes = JSONCases.bytes(text)
            let whole = bytes.lastIndex { UInt8(ascii: " ") < $0 } ?? 0
            for count in 0..<whole {
                let answer = answer(Array(bytes.prefix(count)))
                #expect(answer.hasPrefix("no invalid JSON: "), "\(count) bytes of \(text): \(answer)")
                cut += 1
            }
        }
        #expect(cut > 1_000)
    }

    @Test(
        "a mistake is reported with its line and byte",
        arguments: [
            ("[1,\n 2,\n x]", "line 3, byte 10: expected a value"),
            ("{\"a\":1,\n}", "line 2, byte 9: expected a string as the name of a member"),
            ("{\"a\" 1}", "line 1, byte 6: expected ':'"), ("[1 2]", "line 1, byte 4: expected ',' or ']'"),
            ("{\"a\":1 \"b\"}", "line 1, byte 8: expected ',' or '}'"),
            ("1 2", "line 1, byte 3: expected nothing more"),
            ("", "line 1, byte 1: expected a value, but the text ends"),
            ("[\"ab", "line 1, byte 5: a string has no end, but the text ends"),
            ("[\"a\nb\"]", "line 1, byte 4: a control character in a string"),
            ("\"ab\\x\"", "line 1, byte 4: no such escape"),
            ("\"\\u12\"", "line 1, byte 2: \\u needs four hexadecimal digits"),
            ("\"\\ud800\"", "line 1, byte 2: half of a surrogate pair"),
            ("[1e999]", "line 1, byte 2: the number is too large"),
            ("1.", "line 1, byte 3: expected a digit, but the text ends"),
            ("[<C3>]", "line 1, byte 2: not valid UTF-8"),
            (String(repeating: "[", count: 65), "line 1, byte 65: nested more than 64 deep"),
        ])
    func places(text: String, problem: String) {
        #expect(answer(JSONCases.bytes(text)) == "no invalid JSON: " + problem)
    }
}

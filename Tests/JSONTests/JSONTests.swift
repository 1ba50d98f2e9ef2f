// JSON values: read, written, refused.

import JSON
import Testing

@Suite("JSON", .bounded)
struct JSONTests {
    @Test(
        "reads what it writes, in equal form",
        arguments: [
            "null", "true", "[]", "{}", "0", "-1.5", "[1,2,[3]]", #"{"a":{"b":[false,"x\"\\\n\u0001é🚀"]},"c":1e-7}"#,
        ])
    func roundTrip(text: String) throws {
        let value = try JSON(parsing: text)
        #expect(try JSON(parsing: value.description) == value)
        #expect(value.description == text.replacing("1e-7", with: "1e-07"))
    }

    @Test("reads escapes, surrogate pairs and space")
    func escapes() throws {
        #expect(try JSON(parsing: " [ \"\\ud83d\\uDE80\\/\\b\\f\\t\\r\" , 1E2 ]\n") == ["🚀/\u{8}\u{C}\t\r", 100])
    }

    @Test(
        "refuses texts that are not JSON",
        arguments: [
            "", "nul", "01", "1.", ".5", "+1", "-", "1e", "1e999", "\"", "\"\\x\"", "\"\\ud800\"", "\"\\udc00\"",
            "\"\\ud800\\u0041\"",
            "\"\\u00g0\"", "\"\u{1}\"", "[1,]", "[,1]", "{\"a\"}", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "{a:1}", "1 2",
            "[", "{", "'a'", "\"\\",
            "\"\\u12", String(repeating: "[", count: 100_000),
        ])
    func refuses(text: String) {
        #expect(throws: JSONError.self) { try JSON(parsing: text) }
    }
}

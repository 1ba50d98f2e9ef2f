import Testing

@testable import Scripting

@Suite("an error's report", .bounded)
struct ErrorReportTests {
    private func excerpt(_ line: String, _ message: String) -> String? {
        ScriptError(file: "main.lua", line: 12, message: message, sourceLine: line, version: 3).excerpt
    }

    @Test(
        "marks the name that the message quotes",
        arguments: [
            ("return nothing.field", "attempt to index a nil value (local 'nothing')", 7, 7),
            ("conn:sned('sned')", "conn has no field 'sned'; did you mean 'send'?", 5, 4),
            ("x = x.x", "attempt to call a nil value (field 'x')", 6, 1),
            ("count = cuont + count", "undefined global 'cuont'; did you mean 'count'?", 8, 5),
            ("\tif then", "unexpected symbol near 'then'", 4, 4),
        ])
    func marks(line: String, message: String, column: Int, count: Int) {
        let indent = line.prefix(column).map { $0 == "\t" ? "\t" : " " }.joined()
        #expect(excerpt(line, message) == "12 | \(line)\n   | \(indent)\(String(repeating: "^", count: count))")
    }

    @Test(
        "marks nothing if the mark would be a guess",
        arguments: [
            ("x = = 1", "unexpected symbol near '='"), ("a.b = b.b", "attempt to index a nil value (field 'b')"),
            ("return xs", "undefined global 'x'"), ("oops()", "it's over"), ("return 'ä' .. x", "undefined global 'x'"),
            ("", "undefined global 'x'"),
        ])
    func unmarked(line: String, message: String) {
        #expect(excerpt(line, message) == "12 | \(line)")
    }

    @Test("has the place, the line, the handler, the version and the calls")
    func description() {
        var error = ScriptError(
            file: "main.lua", line: 2, message: "attempt to index a nil value (local 'x')", sourceLine: "  x.y = 1",
            traceback: "main.lua:2: in function <main.lua:1>\nmain.lua:9: in main chunk", version: 3)
        error.handler = "onMessage"
        #expect(
            error.description == """
                main.lua:2: attempt to index a nil value (local 'x')
                    2 |   x.y = 1
                      |   ^
                    in onMessage, version 3
                      main.lua:2: in function <main.lua:1>
                      main.lua:9: in main chunk
                """)
    }
}

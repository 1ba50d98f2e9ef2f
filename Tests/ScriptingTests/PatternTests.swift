import Testing

@testable import Scripting

@Suite("patterns", .bounded)
struct PatternTests {
    @Test("find, match, gmatch and gsub answer 50,000 random cases as Lua's own do", arguments: 0..<10)
    func random(part: Int) throws {
        let twins = try TwinScript(PatternCases.source)
        var raised = 0
        var matched = 0
        for seed in 0..<10 {
            let (stock, sandbox) = twins.answers(Array("random \(part * 10 + seed + 1) 500".utf8))
            let expected = stock.split(separator: "\n", omittingEmptySubsequences: false)
            let answered = sandbox.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(expected.count == 500 && answered.count == 500)
            for (expected, answered) in zip(expected, answered) where expected != answered {
                Issue.record("Lua: \(expected)\nsandbox: \(answered)")
            }
            raised += expected.count { $0.contains(#"-> boolean ""#) }
            matched += expected.count { !$0.hasSuffix("-> boolean nil") }
        }
        #expect(raised > 300, "mistakes are among the cases")
        #expect(matched > 2_000, "and matches")
    }

    @Test("a pattern is too complex, or has too many captures, as in Lua itself")
    func limits() throws {
        let twins = try TwinScript(
            """
            local function answer(text)
              local n = math.tointeger(text)
              local many, rows = ("a"):rep(n), {}
              local cases = {
                {("a?"):rep(n) .. "b", many .. "b"}, {("a-"):rep(n) .. "b", "ab"}, {("()"):rep(n), ""},
                {("(a)"):rep(n), many}, {("("):rep(n) .. (")"):rep(n), ""}, {("a"):rep(n), many},
              }
              for _, case in ipairs(cases) do
                local results = table.pack(pcall(string.match, case[2], case[1]))
                rows[#rows + 1] = results.n .. tostring(results[2])
              end
              return table.concat(rows, " ")
            end
            """)
        var answers: Set<String> = []
        for count in [1, 15, 16, 31, 32, 33, 99, 100, 101, 198, 199, 200, 201, 250] {
            let (stock, sandbox) = twins.answers(Array("\(count)".utf8))
            #expect(stock == sandbox)
            answers.insert(sandbox)
        }
        #expect(answers.contains { $0.contains("pattern too complex") })
        #expect(answers.contains { $0.contains("too many captures") })
        #expect(answers.contains { !$0.contains("too") })
    }
}

import StockLua
import Testing
import TimeBound

@testable import Scripting

@Suite("bugs of older Lua libraries", .bounded)
struct OldBugsTests {
    /// Before 5.4.7.
    static let isOld: Bool = {
        let numbers = ScriptEngine.luaVersion.dropFirst("Lua ".count).split(separator: ".").compactMap { Int($0) }
        return numbers.lexicographicallyPrecedes([5, 4, 7])
    }()

    @Test(
        "are refused exactly where the linked library has them",
        arguments: [
            (StockLuaBug.concat, "setmetatable({}, {['__con' .. 'cat'] = function() end})"),
            (.weakMetatable, "setmetatable({}, setmetatable({}, {__mode = 'v'}))"),
        ])
    func guards(bug: StockLuaBug, body: String) throws {
        let fate = stockLuaMeet(bug)
        // AddressSanitizer keeps what was freed from its second use, so that the bug does no harm there.
        let isHarmless = fate == .well
        #expect(isHarmless == !Self.isOld || TimeBound.isSanitized, "\(ScriptEngine.luaVersion): \(bug) ended \(fate)")
        var isRefused = false
        do {
            _ = try Stage().run(body)
        } catch is ScriptError {
            isRefused = true
        } catch is ScriptErrors {
            isRefused = true
        }
        #expect(isRefused == Self.isOld)
    }

    /// Here they are an error, whatever the library: see StackTests.
    @Test("coroutines that close one another end the process of an older library as it comes")
    func close() {
        let fate = stockLuaMeet(.close)
        #expect((fate == .well) == !Self.isOld, "\(ScriptEngine.luaVersion): ended \(fate)")
    }

    @Test(
        "__concat is refused when a file is loaded, with its line",
        arguments: [
            ("local C = {}\nfunction C.__concat(a, b) end", 2), ("-- __concat\nlocal t = {['__concat'] = print}", 2),
            ("local t = {\n  __index = {},\n  __concat = function() end,\n}", 3),
            ("return {}, '__con\\x63at'", 1), ("-- no __concat here", 0), ("local s = 'about __concat'", 0),
        ])
    func concat(source: String, line: Int) throws {
        let stage = try Stage()
        let problems = [
            try stage.prepare(["main": source]).errors, try stage.prepare(["main": ""], modules: ["m": source]).errors,
        ]
        for (problems, file) in zip(problems, ["main.lua", "lib/m.lua"]) {
            let expected = Self.isOld && line > 0 ? ["\(file):\(line): __concat is not safe in "] : []
            #expect(problems.map { String($0.summary.prefix(expected.first?.count ?? 0)) } == expected)
            #expect(problems.allSatisfy { $0.summary.contains(ScriptEngine.luaVersion) })
        }
    }

    @Test("a table that passes writes on cannot be made weak afterwards")
    func laterWeak() throws {
        let stage = try Stage()
        let shown = try stage.run(
            """
            local mt = {__newindex = {}}
            local t = setmetatable({}, mt)
            show((pcall(setmetatable, mt, {__mode = "v"})))
            mt.__mode = "v"
            show((pcall(setmetatable, mt, mt)))
            show((pcall(setmetatable, {}, {__mode = "v"})))
            """)
        #expect(shown == (Self.isOld ? ["false", "false", "true"] : ["true", "true", "true"]))
    }
}

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
        "are refused exactly if the linked library has them",
        arguments: [
            (StockLuaBug.concat, "setmetatable({}, {['__con' .. 'cat'] = function() end})"),
            (.weakMetatable, "setmetatable({}, setmetatable({}, {__mode = 'v'}))"),
        ])
    func guards(bug: StockLuaBug, body: String) throws {
        let fate = stockLuaMeet(bug)
        // AddressSanitizer delays the reuse of freed memory, so that the bug does no harm there.
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

    /// In the sandbox they are an error with every library: see StackTests.
    @Test("coroutines that close one another crash an unguarded older library")
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

    /// It would move the coroutine's stack in the middle of a concatenation.
    @Test(
        "a __concat that a metatable gets after setmetatable does no harm",
        arguments: [
            "mt['__con' .. 'cat'] = f", "rawset(mt, '__con' .. 'cat', f)", "for k, v in next, from do mt[k] = v end",
            "local name = table.concat{'__', 'concat'} mt[name] = f",
            "setmetatable(mt, {__newindex = function(t, k, v) rawset(t, k, v) end}) mt['__con' .. 'cat'] = f",
        ])
    func laterConcat(arming: String) throws {
        let body = """
            local function deep(n) if n > 0 then return 1 + deep(n - 1) end return 0 end
            local mt = {}
            local o = setmetatable({}, mt)
            local function f() deep(50000) return "X" end
            local from = json.decode('{"__conca' .. 't":1}')
            for k in next, from do from[k] = f end
            \(arming)
            local joined = coroutine.wrap(function()
              return pcall(function(a, b) return a .. b .. o .. "c" .. "d" end, "a", "b")
            end)
            show((joined()))
            """
        let stage = try Stage()
        #expect(try stage.run(body) == [Self.isOld ? "false" : "true"])
        #expect(try stage.run("show('alive')") == ["alive"])
    }

    @Test(
        "a table becomes weak by setmetatable alone",
        arguments: ["mt.__mode = 'v'", "rawset(mt, '__mode', 'k')", "mt['__mo' .. 'de'] = 'kv'", "mt2.__mode = 'v'"])
    func laterMode(arming: String) throws {
        let shown = try Stage().run(
            """
            local mt, mt2 = {}, {__index = {}}
            local strong, other = setmetatable({}, mt), setmetatable({}, setmetatable({}, mt2))
            local weak = setmetatable({}, {__mode = "v"})
            \(arming)
            local function count(t) local n = 0 for _ in pairs(t) do n = n + 1 end return n end
            for i = 1, 500 do strong[i] = {} strong[{}] = i weak[i] = {} getmetatable(other)[i] = {} end
            for i = 1, 300000 do local garbage = {i} end
            show(count(strong), count(getmetatable(other)), count(weak) < 500)
            show(getmetatable(weak).__mode, getmetatable(setmetatable(weak, nil)))
            """)
        #expect(shown == ["1000 500 true", "v nil"])
    }

    @Test("a weak table has all of its metatable")
    func weakMetatable() throws {
        let shown = try Stage().run(
            """
            local mt = {__mode = "v", __index = function(t, k) return k .. "!" end, __len = function() return 7 end}
            local weak = setmetatable({}, mt)
            show(weak.x, #weak, getmetatable(weak) == mt, rawset(weak, "a", "b") == weak, weak.a)
            local closed = setmetatable({}, {__mode = "v", __metatable = "mine"})
            show(getmetatable(closed), pcall(setmetatable, closed, {}))
            show(pcall(rawset, closed, 1, 2))
            """)
        #expect(
            shown == [
                "x! 7 true true b", "mine false cannot change a protected metatable",
                "false rawset: the table is read-only",
            ])
    }

    @Test("a write that a metatable passes on may find no memory")
    func refusedWrites() throws {
        let stage = try Stage()
        try stage.load([
            "main": """
            function onMessage(conn)
              for round = 1, 3 do
                local mm, mt = {}, {__newindex = {}}
                pcall(setmetatable, mt, mm)
                pcall(setmetatable, mt, mt)
                local t = setmetatable({}, mt)
                mm["__mo" .. "de"] = "v"
                rawset(mt, "__mo" .. "de", "v")
                for i = 1, 40 do t["k" .. i] = {} end
              end
            end
            """
        ])
        for count in 0..<300 {
            stage.engine.refuseAllocations(after: count)
            stage.message()
            stage.engine.refuseAllocations(after: -1)
        }
        #expect(stage.message().isDone)
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

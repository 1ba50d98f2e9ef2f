import Testing

@testable import Scripting

@Suite("the scripts' environment", .bounded)
struct EnvironmentTests {
    let stage: Stage

    init() throws {
        stage = try Stage()
    }

    @Test(
        "names that reach outside the sandbox are not there",
        arguments: [
            "load", "loadfile", "dofile", "loadstring", "warn", "io", "os", "debug", "package", "_G", "cjson", "module",
        ])
    func removed(name: String) throws {
        let error = try stage.failure("return \(name)")
        #expect(error.summary == "main.lua:2: undefined global '\(name)'")
    }

    @Test("the allowed libraries are there and nothing else is")
    func allowed() throws {
        let shown = try stage.run(
            """
            local names = {}
            for _, library in ipairs{coroutine, table, string, utf8, server, json, kv, log, time} do
                local list = {}
                for name in pairs(library) do list[#list + 1] = name end
                table.sort(list)
                names[#names + 1] = table.concat(list, " ")
            end
            show(table.concat(names, "; "))
            """)
        #expect(
            shown == [
                [
                    "close create isyieldable resume running status wrap yield",
                    "concat insert move pack remove sort unpack",
                    "byte char find format gmatch gsub len lower match pack packsize rep reverse sub unpack upper",
                    "char charpattern codepoint codes len offset",
                    "after broadcast cancel class cron disconnect every publish send sendUser sleep spawn state",
                    "decode encode null", "delete get incr set swap", "debug error info warn",
                    "iso monotonic now parse",
                ].joined(separator: "; ")
            ])
    }

    @Test("an undeclared global is an error when it is read or written")
    func undefined() throws {
        #expect(try stage.failure("\nreturn cuont + 1").summary == "main.lua:3: undefined global 'cuont'")
        #expect(
            try stage.failure("cuont = 1").summary
                == "main.lua:2: undefined global 'cuont'; write 'local cuont' to declare it")
        let errors = try stage.prepare(["main": "x = 1"]).errors
        #expect(errors.map(\.summary) == ["main.lua:1: undefined global 'x'; write 'local x' to declare it"])
    }

    @Test(
        "globals that are there cannot be written",
        arguments: ["server = 1", "print = nil", "string = {}", "_ENV.pairs = 1"])
    func globals(statement: String) throws {
        #expect(try stage.failure(statement).message.hasPrefix("undefined global"))
    }

    @Test(
        "libraries cannot be changed",
        arguments: [
            ("string.upper = print", "string.upper cannot be set: string is read-only"),
            ("table.insert(string, 1)", "string.1 cannot be set: string is read-only"),
            ("rawset(string, 'upper', print)", "rawset: the table is read-only"),
            ("setmetatable(string, {})", "cannot change a protected metatable"),
            ("getmetatable('').__index = {}", "attempt to index a boolean value"),
            ("json.encode = 1", "json.encode cannot be set: json is read-only"),
            ("config.key = 1", "config.key cannot be set: config is read-only"),
            ("setmetatable(_ENV, nil)", "cannot change a protected metatable"),
            ("rawset(_ENV, 'x', 1)", "rawset: the table is read-only"),
        ])
    func readOnly(statement: String, message: String) throws {
        #expect(try stage.failure(statement).message.hasPrefix(message))
        #expect(try stage.run("show(('x'):upper())") == ["X"])
    }

    @Test(
        "a misspelt function of the script API is named",
        arguments: [
            ("json.decod('')", "json has no field 'decod'"), ("kv.put(1)", "kv has no field 'put'"),
            ("log.warning('x')", "log has no field 'warning'"), ("time.today()", "time has no field 'today'"),
        ])
    func misspelt(call: String, message: String) throws {
        #expect(try stage.failure(call).message == message)
    }

    @Test(
        "setmetatable refuses bugs and fields that would run outside an event",
        arguments: [
            ("setmetatable({}, {__gc = print})", "setmetatable: __gc is not available"),
            ("setmetatable({}, {__mode = 'k'})", "setmetatable: weak keys are not available; \"v\" is"),
            ("setmetatable({}, {__mode = 'kv'})", "setmetatable: weak keys are not available; \"v\" is"),
            ("setmetatable({}, 5)", "bad argument #2 to 'setmetatable' (nil or table expected, got number)"),
            ("setmetatable(5, {})", "bad argument #1 to 'setmetatable' (table expected, got number)"),
        ])
    func setmetatable(call: String, message: String) throws {
        #expect(try stage.failure(call).message == message)
    }

    @Test("the guards against Lua 5.4.4's bugs are there if the library has them")
    func oldBugs() throws {
        let release = try #require(Int(ScriptEngine.luaVersion.split(separator: ".").last ?? ""))
        let shown = try stage.run(
            """
            local m = {__mode = "v"}
            show(pcall(setmetatable, {}, {['__con' .. 'cat'] = print}))
            show(pcall(setmetatable, m, m))
            show(pcall(setmetatable, {}, setmetatable({}, m)))
            """)
        #expect(shown.allSatisfy { $0.hasPrefix(release < 7 ? "false" : "true") })
    }

    @Test("a table of config as a metatable or in a state is a clear error")
    func readOnlyMetatable() throws {
        var options = ScriptOptions()
        options.settings = #"{"m":{"a":1}}"#
        let stage = try Stage(options: options)
        #expect(
            try stage.failure("setmetatable({}, config.m)").message
                == "setmetatable: a read-only table cannot be a metatable; copy what it holds")
        for (value, place) in [("{l = config.m}", ".l"), ("config.m", "the value"), ("{{server}}", "[1][1]")] {
            let errors = try Stage(options: options).prepare([
                "main": "server.state('s', 1, function() return \(value) end)"
            ]).errors
            #expect(
                errors.map(\.summary) == [
                    "main.lua:1: server.state 's': \(place) is a read-only table; copy what it holds"
                ])
        }
    }

    @Test("an ordinary metatable works, weak values included")
    func metatables() throws {
        #expect(
            try stage.run(
                """
                local t = setmetatable({}, {__index = function(_, k) return k .. '!' end, __mode = 'v'})
                show(t.x, getmetatable(t).__mode)
                """
            ) == ["x! v"])
    }

    @Test("collectgarbage answers count alone")
    func collectgarbage() throws {
        #expect(try stage.run("show(collectgarbage('count') > 10)") == ["true"])
        for option in ["'collect'", "'stop'", "'generational'", ""] {
            #expect(
                try stage.failure("collectgarbage(\(option))").message == "collectgarbage: only \"count\" is available")
        }
    }

    @Test("print and log write to the log with file and line")
    func log() throws {
        _ = try stage.run(
            """
            print('a', 1, nil)
            log.warn('low', {left = 3, who = 'x', list = {1}})
            log.debug(5) log.info('i') log.error('e')
            """
        )
        #expect(
            stage.host.calls == [
                .log(.info, "a\t1\tnil", [], "main.lua", 2),
                .log(.warning, "low", ["left=3", "list=[1]", "who=x"], "main.lua", 3),
                .log(.debug, "5", [], "main.lua", 4), .log(.info, "i", [], "main.lua", 4),
                .log(.error, "e", [], "main.lua", 4),
            ])
        #expect(try stage.failure("log.info('x', 5)").message == "log: fields must be a table, not number")
        #expect(
            try stage.failure("log.info('x', {5})").message == "log: the name of a field must be a string, not number")
    }

    @Test("time.now is the time of day in seconds")
    func time() throws {
        #expect(try stage.run("show(time.now() > 1.7e9, math.type(time.now()))") == ["true float"])
    }

    @Test("config shows the settings, read-only to the last table")
    func config() throws {
        let stage = try Stage(options: ScriptOptions(settings: #"{"key":"k","limits":{"rate":5,"list":[1,2,3]}}"#))
        let shown = try stage.run(
            """
            show(config.key, config.limits.rate, #config.limits.list, config.limits.list[3], config.none)
            local sum = 0
            for _, n in ipairs(config.limits.list) do sum = sum + n end
            for _, n in pairs(config.limits.list) do sum = sum + n end
            show(sum, pcall(function() config.limits.rate = 6 end))
            """)
        #expect(
            shown == [
                "k 5 3 3 nil", "12 false main.lua:6: config.limits.rate cannot be set: config.limits is read-only",
            ])
    }

    @Test(
        "settings that are not a JSON object are refused when the engine is made",
        arguments: ["", "5", "[1", "nonsense"])
    func badSettings(settings: String) {
        #expect(throws: ScriptError.self) { try Stage(options: ScriptOptions(settings: settings)) }
    }

    @Test("pcall and xpcall behave as in Lua")
    func protectedCalls() throws {
        let shown = try stage.run(
            """
            show(pcall(function(...) return ... end, 1, nil, 3))
            show(pcall(error, "x"))
            show(select("#", pcall(error)))
            show(xpcall(function(...) return ... end, print, 1, 2))
            show(xpcall(error, function(e) return "handled " .. e end, "x"))
            show(xpcall(error, function(e) error("again") end, "x"))
            local co = coroutine.wrap(function() return pcall(function() return coroutine.yield(1) end) end)
            show(co(), co("two"))
            local function late() coroutine.yield(1) error("late", 0) end
            local cx = coroutine.wrap(function() return xpcall(late, string.upper) end)
            show(cx(), cx())
            """)
        #expect(
            shown == [
                "true 1 nil 3", "false x", "2", "true 1 2", "false handled x", "false main.lua:7: again", "1 true two",
                "1 false LATE",
            ])
    }

    @Test("coroutines of a script work with wrap, close and create")
    func coroutines() throws {
        let shown = try stage.run(
            """
            local co = coroutine.create(function(a) local b = coroutine.yield(a + 1) return b * 2 end)
            show(coroutine.resume(co, 1))
            show(coroutine.resume(co, 5))
            show(coroutine.status(co), coroutine.close(co))
            local closer = setmetatable({}, {__close = function() show("closed") end})
            local c2 = coroutine.create(function() local x <close> = closer coroutine.yield() end)
            coroutine.resume(c2)
            show(coroutine.close(c2))
            show(pcall(coroutine.wrap(function() error("in wrap", 0) end)))
            """)
        #expect(shown == ["true 2", "true 10", "dead true", "closed", "true", "false in wrap"])
    }

    @Test("a chain of coroutines that close one another raises in time")
    func closeChain() throws {
        var options = ScriptOptions(memoryLimit: 0)
        options.coroutines = 0
        let stage = try Stage(options: options)
        let shown = try stage.run(
            """
            local last, reason
            for i = 1, 20000 do
                local previous = last
                local function close()
                    local closed, why = coroutine.close(previous)
                    reason = reason or why
                end
                last = coroutine.create(function()
                    local x <close> = setmetatable({}, {__close = close})
                    coroutine.yield()
                end)
                coroutine.resume(last)
            end
            show(coroutine.close(last), reason)
            """)
        #expect(shown == ["true main.lua:6: stack overflow: the thread's stack is used up"])
        #expect(try stage.run("show('alive')") == ["alive"])
    }

    @Test("files do not see each other's handlers or locals")
    func separate() throws {
        try stage.load(
            ["main": "function onMessage(conn) return chat end", "chat": "function onOpen() end"], version: 50)
        #expect(stage.message().error?.message == "undefined global 'chat'")
        #expect(stage.engine.defines(.open, stage.engine.intern("chat")))
        #expect(!stage.engine.defines(.open, stage.main))
    }

    @Test("a file can call its own handlers")
    func ownHandlers() throws {
        try stage.load([
            "main": "function onOpen(conn) conn:send('hello') end function onMessage(conn) onOpen(conn) end"
        ])
        #expect(stage.message().isDone)
        #expect(stage.host.sent == ["hello"])
    }

    @Test(
        "a metatable cannot get later what setmetatable refuses",
        arguments: [
            ("__gc", "__gc", true), ("__mode", "__mode", true),
            ("__con' .. 'cat", "__concat", OldBugsTests.isOld), ("__close", "", false), ("__index", "", false),
        ])
    func laterMetafields(field: String, name: String, isRefused: Bool) throws {
        let top = "local mt = {} local o = setmetatable({}, mt)\nmt['\(field)'] = 'k'"
        let problems = try Stage().prepare(["main": top]).errors
        let expected = isRefused ? ["main.lua:1: setmetatable: a metatable cannot get \(name) afterwards"] : []
        #expect(problems.map(\.summary) == expected)
        let state = "server.state('s', 1, function() \(top.replacing("\n", with: " ")) return {} end)"
        #expect(try Stage().prepare(["main": state]).errors.map(\.summary) == expected)
    }
}

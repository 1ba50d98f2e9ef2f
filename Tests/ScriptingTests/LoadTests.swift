import Testing

@testable import Scripting

@Suite("loading", .bounded)
struct LoadTests {
    let stage: Stage

    init() throws {
        stage = try Stage()
    }

    private func errors(_ main: String, modules: [String: String] = [:]) throws -> [String] {
        try stage.prepare(["main": main], modules: modules).errors.map(\.summary)
    }

    @Test("a syntax error has file, line and the source line")
    func syntax() throws {
        let error = try #require(try stage.prepare(["games/chess": "local x = 1\nif x then\n  y(\nend"]).errors.first)
        #expect(error.file == "games/chess.lua")
        #expect(error.line == 4)
        #expect(error.description.contains("\n    4 | end"))
        #expect(error.description.hasPrefix("games/chess.lua:4: unexpected symbol near 'end'"))
    }

    @Test("an error of the top level has file, line and traceback")
    func topLevel() throws {
        let error = try #require(
            try stage.prepare(["main": "local function f()\n  error('oops')\nend\nf()"]).errors.first)
        #expect(error.summary == "main.lua:2: oops")
        #expect(error.sourceLine == "  error('oops')")
        #expect(error.traceback?.contains("main.lua:4: in main chunk") == true)
    }

    @Test("a top level may catch errors")
    func caught() throws {
        try stage.load(["main": "local done, why = pcall(error, 'x') function onMessage(c) c:send(why) end"])
        stage.message()
        #expect(stage.host.sent == ["x"])
    }

    @Test("all files' errors are reported, each once")
    func allErrors() throws {
        let problems = try stage.prepare(
            ["a": "x = ", "b": "local y = )", "main": "local ok = 1"], modules: ["util": "return +"]
        ).errors
        #expect(problems.map(\.file) == ["lib/util.lua", "a.lua", "b.lua"])
        let runs = try stage.prepare(
            ["a": "require 'bad'", "b": "require 'bad'", "c": "nope()"], modules: ["bad": "error('mine')"])
        #expect(runs.errors.map(\.summary).filter { $0 == "lib/bad.lua:1: mine" }.count == 2)
        #expect(runs.errors.last?.summary == "c.lua:1: undefined global 'nope'")
    }

    @Test("handlers come from functions of the file or from a returned table")
    func handlers() throws {
        try stage.load([
            "main": "function onOpen() end", "b": "return {onMessage = function() end, onClose = function() end}",
        ])
        let b = stage.engine.intern("b")
        #expect(ScriptHandler.allCases.filter { stage.engine.defines($0, stage.main) } == [.open])
        #expect(ScriptHandler.allCases.filter { stage.engine.defines($0, b) } == [.message, .close])
    }

    @Test("every handler is known by its name")
    func handlerNames() throws {
        let all = ScriptHandler.allCases.map { "function \($0.name)() return true end" }.joined(separator: "\n")
        try stage.load(["main": all])
        #expect(ScriptHandler.allCases.allSatisfy { stage.engine.defines($0, stage.main) })
    }

    @Test(
        "a misnamed handler is an error with the nearest name, a non-function too",
        arguments: [
            ("function onmessage() end", "main.lua:1: undefined global 'onmessage'; did you mean 'onMessage'?"),
            ("function OnClosed() end", "main.lua:1: undefined global 'OnClosed'; did you mean 'onClose'?"),
            ("onOpen = 5", "main.lua:1: onOpen must be a function, not number"),
            ("return {onMesage = print}", "main.lua: unknown handler 'onMesage'; did you mean 'onMessage'?"),
            ("return {helper = print}", "main.lua: unknown handler 'helper'"),
            ("return {print}", "main.lua: unknown handler 'number'"),
            ("return {onOpen = 'x'}", "main.lua: onOpen must be a function, not string"),
            ("return 5", "main.lua: a script returns a table of handlers or nothing, not number"),
            (
                "function onOpen() end return {onOpen = print}",
                "main.lua: onOpen is defined twice, as a function of the file and in the returned table"
            ),
        ])
    func wrongHandlers(source: String, message: String) throws {
        #expect(try errors(source) == [message])
    }

    @Test("a handler cannot be exchanged once the file is loaded")
    func lateHandler() throws {
        try stage.load(["main": "function onMessage(conn) onOpen = print end"])
        #expect(stage.message().error?.message == "onOpen: handlers are defined while the script loads")
    }

    @Test("bytecode is refused")
    func bytecode() throws {
        #expect(try errors("\u{1B}LuaT").first?.contains("attempt to load a binary chunk") == true)
    }

    @Test("a module is run once and its value shared, by dots or slashes")
    func require() throws {
        try stage.load(
            [
                "main":
                    """
                local a, b = require 'game.board', require 'game/board' function onMessage(conn)
                conn:send(tostring(a == b)) conn:send(a.n) end
                """
            ],
            modules: [
                "game/board": "local util = require 'util' util.runs = util.runs + 1 return {n = util.runs}",
                "util": "return {runs = 0}",
            ])
        stage.message()
        #expect(stage.host.sent == ["true", "1"])
    }

    @Test("a module that is missing, circular or faulty is a clear error")
    func requireErrors() throws {
        #expect(try errors("require 'none'") == ["main.lua:1: require: there is no module 'none' (lib/none.lua)"])
        #expect(try errors("require(5 .. {})").count == 1)
        #expect(try errors("require {}") == ["main.lua:1: require: the module's name must be a string, not table"])
        #expect(
            try errors("require 'a'", modules: ["a": "require 'b'", "b": "\nrequire 'a'"]) == [
                "lib/b.lua:2: require: module 'a' requires itself, by way of others or directly"
            ])
        #expect(
            try errors("require 'a'", modules: ["a": "function onOpen() end"]) == [
                "lib/a.lua:1: undefined global 'onOpen'; write 'local onOpen' to declare it"
            ])
    }

    @Test(
        "an endless top level fails within its budget, even if it catches errors",
        arguments: [
            "while true do end", "while true do pcall(function() while true do end end) end",
            "while true do xpcall(function() while true do end end, function() while true do end end) end",
            "local co = coroutine.wrap(function() while true do end end) co()",
            "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
            """
            while true do local co = coroutine.create(function()
            local x <close> = setmetatable({}, {__close = function() end}) coroutine.yield() end)
            coroutine.resume(co) coroutine.close(co) end
            """,
        ])
    func budget(source: String) throws {
        let stage = try Stage(options: ScriptOptions(loadBudget: 0.02))
        let problems = try stage.prepare(["main": "\n" + source]).errors
        #expect(problems.first?.message.hasSuffix("the scripts took more than 0.02 s to load") == true)
        #expect((2...4).contains(problems.first?.line ?? 0))
        #expect(try stage.run("show('alive')") == ["alive"])
    }

    @Test("coroutines made while loading are not watched later")
    func hookGoes() throws {
        let stage = try Stage(options: ScriptOptions(loadBudget: 0.01))
        try stage.load([
            "main":
                """
            local work = coroutine.wrap(function() while true do
            for i = 1, 1e6 do end coroutine.yield(1) end end) function onMessage(conn) conn:send(work()) end
            """
        ])
        for _ in 0..<3 { stage.message() }
        #expect(stage.host.sent == ["1", "1", "1"])
    }

    @Test("a top level that yields is an error")
    func yielding() throws {
        #expect(
            try errors("\ncoroutine.yield()") == ["main.lua:2: coroutine.yield: a script cannot yield while it loads"])
    }

    @Test("check finds the same errors as prepare and changes nothing")
    func check() throws {
        let store = KeyValueStore()
        let bad = try ScriptBundle(version: 3, scripts: ["main": "server.every('a', 1, print)\nnope()"])
        let found = ScriptEngine.check(bad, options: ScriptOptions(store: store, workerIndex: 3))
        #expect(found.map(\.summary) == ["main.lua:2: undefined global 'nope'"])
        #expect(found.first?.version == 3)
        let good = try ScriptBundle(version: 3, scripts: ["main": "function onOpen() end"])
        #expect(ScriptEngine.check(good, options: ScriptOptions(store: store)).isEmpty)
    }

    @Test("a failed module fails with the same message when it is required again")
    func requireAgain() throws {
        let modules = [
            "bad": "error('broken')", "none": "require 'missing'", "loop": "require 'loop'", "a": "require 'b'",
            "b": "require 'a'",
        ]
        let script = """
            local function twice(name)
                local first, second = select(2, pcall(require, name)), select(2, pcall(require, name))
                local third = select(2, pcall(coroutine.wrap(function() return require(name) end)))
                return first .. "|" .. (second == first and "same" or second) .. "|" .. (third == first and "same" or third)
            end
            local rows = {twice "bad", twice "none", twice "loop", twice "a"}
            function onMessage(conn) for _, row in ipairs(rows) do conn:send(row) end conn:send(twice "bad") end
            """
        let stage = try Stage()
        try stage.load(["main": script], modules: modules)
        #expect(stage.message().isDone)
        let own = { (name: String) in "lib/\(name).lua:1: require: module" }
        #expect(
            stage.host.sent == [
                "lib/bad.lua:1: broken|same|same",
                "lib/none.lua:1: require: there is no module 'missing' (lib/missing.lua)|same|same",
                own("loop") + " 'loop' requires itself, by way of others or directly|same|same",
                own("b") + " 'a' requires itself, by way of others or directly|same|same",
                "lib/bad.lua:1: broken|same|same",
            ])
    }

    @Test("names longer than Lua shows are still found")
    func longNames() throws {
        let name = "examples/" + String(repeating: "long-folder-name/", count: 6) + "script"
        let error = try #require(try stage.prepare([name: "\nerror('here')"]).errors.first)
        #expect(error.summary == "\(name).lua:2: here")
    }
}

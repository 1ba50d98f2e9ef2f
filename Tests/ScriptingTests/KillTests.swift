import Testing

@testable import Scripting

/// Handlers that run for ever, and the state in which they ran.
@Suite("kills", .bounded)
struct KillTests {
    static let loops = [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "xpcall(function() while true do end end, function() while true do end end)",
        "pcall(error, setmetatable({}, {__tostring = function() while true do end end})) while true do end",
        "local x <close> = setmetatable({}, {__close = function() while true do end end})",
        "local x <close> = setmetatable({}, {__close = function() while true do end end}) while true do end",
        "coroutine.wrap(function() while true do end end)()",
        "local c = coroutine.create(function() while true do end end) while true do coroutine.resume(c) end",
        "while true do pcall(coroutine.wrap(function() while true do end end)) end",
        """
        local c = coroutine.create(function()
          local x <close> = setmetatable({}, {__close = function() while true do end end})
          coroutine.yield()
        end)
        coroutine.resume(c)
        coroutine.close(c)
        """,
        "for _ in coroutine.wrap(function() while true do coroutine.yield(1) end end) do end",
        "table.sort({3, 2, 1}, function() while true do end end)",
        "setmetatable({}, {__index = function() while true do end end}).x = nil local y = setmetatable({}, {__index = function() while true do end end}).x",
    ]

    private func options() -> ScriptOptions {
        var options = ScriptOptions()
        options.budget = 0.02
        options.warning = 0
        return options
    }

    /// The state still works.
    @Test("a handler that never ends is killed", arguments: loops)
    func kills(_ body: String) throws {
        let stage = try Stage(options: options())
        try stage.load(["main": Stage.script(body)])
        let error = try #require(stage.message().error)
        #expect(error.kill == .budget)
        #expect(error.message == "killed: it used more than its 20 ms of CPU")
        #expect(error.file == "main.lua")
        #expect(error.traceback?.contains("main.lua:") == true)
        #expect(try stage.run("show('alive')") == ["alive"])
        #expect(stage.engine.kills == 1)
    }

    @Test("a coroutine from loading is killed when it loops in a handler")
    func killsOldCoroutine() throws {
        let stage = try Stage(
            "local c = coroutine.wrap(function() coroutine.yield() while true do end end) c()\n"
                + "function onMessage(conn) c() end\nfunction onOpen(conn) conn:send('alive') end", options: options())
        #expect(stage.message().error?.kill == .budget)
        #expect(stage.open().isDone)
        #expect(stage.host.sent == ["alive"])
    }

    @Test("a kill names the place of the handler")
    func place() throws {
        let stage = try Stage(
            "local function spin()\n  while true do\n  end\nend\nfunction onMessage(conn)\n  pcall(spin)\nend",
            options: options())
        let error = try #require(stage.message().error)
        #expect(error.line == 2 || error.line == 3)
        #expect(error.traceback?.contains("in function <main.lua:5>") == true)
    }

    @Test("an endless top level fails the load, even if it catches errors")
    func load() throws {
        var options = options()
        options.loadBudget = 0.05
        let stage = try Stage(options: options)
        let errors = try stage.prepare(["main": "while true do pcall(function() while true do end end) end"]).errors
        #expect(errors.first?.kill == .load)
        #expect(errors.first?.message == "the scripts took more than 0.05 s to load")
        try stage.load(["main": Stage.script("show('alive')")])
        stage.message()
        #expect(stage.host.sent == ["alive"])
    }

    @Test("a handler over its warning and within its budget is reported")
    func slow() throws {
        var options = options()
        options.budget = 5
        options.warning = 0.005
        let stage = try Stage(
            "function onMessage(conn)\n  for i = 1, 20000000 do end\n  conn:send('done')\nend", options: options)
        #expect(stage.message().isDone)
        #expect(stage.host.sent == ["done"])
        let reports = stage.host.calls.compactMap { if case .slow(let traceback) = $0 { traceback } else { nil } }
        #expect(reports.count == 1)
        #expect(reports.first?.hasPrefix("main.lua:2:") == true)
    }

    @Test("5,000 kills at random instructions leave a working state and no garbage")
    func randomKills() throws {
        let stage = try Stage(options: options())
        let source = """
            local function work(n)
              local t = {}
              for i = 1, 20 do
                t[i] = ("x"):rep(i) .. i
                pcall(function() local y <close> = setmetatable({}, {__close = function() t[1] = nil end}) error(i) end)
              end
              local co = coroutine.wrap(function() for i = 1, 10 do coroutine.yield(i) end end)
              for i = 1, 10 do t[i] = co() end
              table.sort(t, function(a, b) return tostring(a) < tostring(b) end)
              return #t
            end
            function onMessage(conn) conn.data.n = work(1) conn:send("x") end
            function onOpen(conn) conn:send("alive") end
            """
        try stage.load(["main": source])
        var generator = SystemRandomNumberGenerator()
        var killed = 0
        func round(_ count: Int) {
            for _ in 0..<count {
                stage.engine.killAfter(instructions: Int32.random(in: 0...1500, using: &generator))
                if stage.message().error?.kill == .budget { killed += 1 }
                stage.engine.killAfter(instructions: nil)
                stage.host.calls = []
            }
            stage.engine.collect()
        }
        round(500)
        let before = stage.engine.memoryInUse
        round(4500)
        #expect(killed > 2500)
        #expect(stage.engine.memoryInUse < before + 64 * 1024)
        #expect(stage.open().isDone)
        #expect(stage.host.sent == ["alive"])
    }
}

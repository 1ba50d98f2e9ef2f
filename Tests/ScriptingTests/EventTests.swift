import Testing

@testable import Scripting

@Suite("events", .bounded)
struct EventTests {
    let stage: Stage

    init() throws {
        stage = try Stage()
    }

    @Test("open, message and close reach their handlers in order, with arguments")
    func order() throws {
        try stage.load([
            "main": """
            function onStart() server.broadcast("start") end
            function onOpen(conn) conn:send("open") end
            function onMessage(conn, message, binary) conn:send(message .. tostring(binary)) end
            function onClose(conn, code, reason) server.broadcast(code .. " " .. reason) end
            function onStop() server.broadcast("stop") end
            """
        ])
        #expect(stage.open().isDone)
        #expect(stage.message("a").isDone)
        #expect(stage.close(4000, "bye").isDone)
        #expect(stage.engine.stop().isEmpty)
        #expect(
            stage.host.calls == [
                .broadcast("start", binary: false), .send(1, "open", binary: false), .send(1, "afalse", binary: false),
                .broadcast("4000 bye", binary: false), .broadcast("stop", binary: false),
            ])
    }

    @Test("an event without a handler is done and not counted")
    func noHandler() throws {
        try stage.load(["main": "function onOpen() end"])
        #expect(stage.message("x").isDone)
        #expect(stage.open().isDone)
        #expect(stage.engine.count(of: .message, stage.main) == HandlerCount())
        #expect(stage.engine.count(of: .open, stage.main) == HandlerCount(calls: 1, errors: 0))
    }

    @Test("an error is counted and reported with place, traceback and version")
    func error() throws {
        try stage.load(
            [
                "main":
                    """
                local function inner()
                  local x = nil
                  return x.y
                end
                function onMessage(conn)
                  inner()
                end
                """
            ], version: 5)
        let error = try #require(stage.message().error)
        #expect(error.summary == "main.lua:3: attempt to index a nil value (local 'x')")
        #expect(error.sourceLine == "  return x.y")
        #expect(error.version == 5)
        #expect(
            error.description == """
                main.lua:3: attempt to index a nil value (local 'x')
                    3 |   return x.y
                      |          ^
                    in onMessage, version 5
                      main.lua:3: in upvalue 'inner'
                      main.lua:6: in function <main.lua:5>
                """)
        #expect(stage.engine.count(of: .message, stage.main) == HandlerCount(calls: 1, errors: 1))
        #expect(stage.message().error != nil)
    }

    @Test("an error in a module names the module")
    func moduleError() throws {
        try stage.load(
            ["main": "local util = require 'util' function onMessage() util.f() end"],
            modules: ["util": "return {f = function()\n  error('deep')\nend}"])
        let error = try #require(stage.message().error)
        #expect(error.summary == "lib/util.lua:2: deep")
        #expect(error.traceback?.contains("main.lua:1: in function") == true)
    }

    @Test("a mistake in a call that is returned still has its line")
    func tailCall() throws {
        #expect(try stage.failure("\nreturn conn:send(nil)").line == 3)
    }

    @Test("error{code, reason} asks for a close, with a reason that fits the frame")
    func closeRequest() throws {
        try stage.load([
            "main":
                """
            function onOpen() error{code = 4001, reason = 'no'} end function onMessage()
            error{code = 3000, reason = ('ä'):rep(100)} end
            """
        ])
        guard case .closeRequested(4001, "no") = stage.open() else { throw Unexpected() }
        guard case .closeRequested(3000, let reason) = stage.message() else { throw Unexpected() }
        #expect(reason.utf8.count == 122)
        #expect(stage.engine.count(of: .open, stage.main) == HandlerCount(calls: 1, errors: 0))
    }

    @Test(
        "error objects that are no message are described without running code",
        arguments: [
            (
                "error(setmetatable({}, {__tostring = function() while true do end end}))",
                "the error is a table value, not a message"
            ),
            (
                "error(setmetatable({}, {__index = function() while true do end end}))",
                "the error is a table value, not a message"
            ),
            ("error{code = 17}", "error{code = 17}: not a close code"),
            ("error{code = 1005}", "error{code = 1005}: not a close code"),
            ("error{code = '4001'}", "the error is a table value, not a message"),
            ("error(nil)", "the error is a nil value, not a message"),
            ("error(5)", "5"), ("error(true)", "true"),
            ("error(print)", "the error is a function value, not a message"),
            ("error(conn)", "the error is a userdata value, not a message"),
            ("error()", "the error is a nil value, not a message"),
            ("error('plain', 0)", "plain"),
        ])
    func errorObjects(statement: String, message: String) throws {
        let error = try stage.failure(statement)
        #expect(error.message == message)
        #expect(error.file == "main.lua")
    }

    /// The next event works.
    @Test("a handler that yields is reported with its line")
    func yields() throws {
        try stage.load([
            "main":
                "function onMessage(conn, m)\n  if m == 'y' then\n    coroutine.yield()\n  end\n  conn:send('ok')\nend"
        ])
        for _ in 0..<3 {
            let error = try #require(stage.message("y").error)
            #expect(error.summary == "main.lua:3: coroutine.yield: a handler cannot yield by itself")
            #expect(stage.message().isDone)
        }
        #expect(stage.host.sent == ["ok", "ok", "ok"])
    }

    @Test("to-be-closed variables are closed when a handler fails or yields")
    func toBeClosed() throws {
        let body = "local x <close> = setmetatable({}, {__close = function() conn:send('closed') end})"
        try stage.load([
            "main":
                "function onOpen(conn) \(body) error('x') end function onMessage(conn) \(body) coroutine.yield() end"
        ])
        #expect(stage.open().error != nil)
        #expect(stage.message().error != nil)
        #expect(stage.host.sent == ["closed", "closed"])
    }

    @Test(
        "endless recursion raises, by any road",
        arguments: [
            "local function f() return 1 + f() end f()",
            "local function f(s) return (s:gsub('.', f)) end f('a')",
            "local t = setmetatable({}, {}) getmetatable(t).__index = function(_, k) return t[k] end local _ = t.x",
            "local function f() return coroutine.wrap(f)() end f()",
            "local function f() return pcall(f) end local ok, e = f() error(e or 'returned')",
            "local t = {} for i = 1, 300 do t = {t} end json.encode(t)",
        ])
    func recursion(body: String) throws {
        #expect(try !stage.failure(body).message.isEmpty)
        #expect(try stage.run("show('alive')") == ["alive"])
    }

    @Test("the traceback of a deep recursion is cut")
    func deepTraceback() throws {
        let error = try stage.failure("local function f(a, b, c, d) return 1 + f(a, b, c, d) end f()")
        let lines = error.traceback?.split(separator: "\n") ?? []
        #expect(lines.count == 21)
        #expect(lines.last == "...")
        #expect(error.message.hasPrefix("stack overflow"))
    }

    @Test("a message of any length is cut, not overrun")
    func longMessage() throws {
        #expect(try stage.failure("error(('x'):rep(100000), 0)").message.utf8.count == 2_047)
    }

    @Test("messages of any bytes arrive as they are")
    func bytes() throws {
        try stage.load(["main": "function onMessage(conn, m) conn:send(#m) conn:sendBinary(m) end"])
        var payload: [UInt8] = []
        for size in [0, 1, 40, 41, 64, 65_536] {
            payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            stage.host.calls = []
            let outcome = payload.withUnsafeBytes { stage.engine.onMessage(stage.main, stage.first, $0, binary: true) }
            #expect(outcome.isDone)
            #expect(stage.host.sent == [String(size), String(decoding: payload, as: UTF8.self)])
        }
    }

    @Test("errors of onStart and onReload are reported with the commit, which holds")
    func lifeErrors() throws {
        let first = try stage.load(
            ["main": "function onStart() error('s') end function onReload(v) error('r' .. v) end"], version: 1)
        #expect(first.errors.map(\.summary) == ["main.lua:1: s"])
        let second = try stage.load(
            [
                "main":
                    """
                function onStart() error('s') end function onReload(v) error('r' .. v) end
                function onStop() error{code = 4000} end
                """
            ], version: 2)
        #expect(second.errors.map(\.summary) == ["main.lua:1: r1"])
        #expect(second.previousVersion == 1)
        #expect(
            stage.engine.stop().map(\.message) == [
                "error{code = 4000, reason = \"\"} closes a connection, and there is none here"
            ])
    }
}

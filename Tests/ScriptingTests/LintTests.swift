import SeededGenerator
import Testing

@testable import Scripting

@Suite("the check finds misspelt names", .bounded)
struct LintTests {
    private func findings(
        _ main: String, modules: [String: String] = [:]
    ) throws -> [String] {
        let bundle = try ScriptBundle(version: 1, scripts: ["main": main], modules: modules)
        return ScriptEngine.check(bundle, options: ScriptOptions()).map(\.summary)
    }

    @Test(
        "in code that a dry run never reaches",
        arguments: [
            ("function onOpen() nope() end", "undefined global 'nope'"),
            ("local count = 0 function onOpen() cuont = 1 end", "undefined global 'cuont'; did you mean 'count'?"),
            ("function onOpen() x = 1 end", "undefined global 'x'; write 'local x' to declare it"),
            (
                "local function f() return function() return strng.rep end end",
                "undefined global 'strng'; did you mean 'string'?"
            ),
            ("function onOpen() local f = onClose end", "undefined global 'onClose'"),
            (
                "if server.version < 0 then function onmessage() end end",
                "undefined global 'onmessage'; did you mean 'onMessage'?"
            ),
            ("function onOpen() server.publsh('a', 'b') end", "server has no field 'publsh'; did you mean 'publish'?"),
            (
                "function onOpen() local s = server s.sned('a', 'b') end",
                "server has no field 'sned'; did you mean 'send'?"
            ),
            ("function onOpen() return kv.gte('a') end", "kv has no field 'gte'; did you mean 'get'?"),
            ("function onOpen() return string.rpe('a', 2) end", "string has no field 'rpe'; did you mean 'rep'?"),
            ("function onOpen() return math.powr(2, 3) end", "math has no field 'powr'; did you mean 'pow'?"),
            ("function onOpen() log.info = print end", "log.info cannot be set: log is read-only"),
            ("function onOpen(c) c:sned('x') end", "conn has no field 'sned'; did you mean 'send'?"),
            ("function onMessage(conn) return conn.ipp end", "conn has no field 'ipp'; did you mean 'ip'?"),
            (
                "function onMessage(conn) server.after(1, function() conn:clsoe() end) end",
                "conn has no field 'clsoe'; did you mean 'close'?"
            ),
            (
                "function onMessage(conn) conn.name = 'x' end",
                "conn.name cannot be set; keep your own values in conn.data"
            ),
            (
                "return {onMessage = function(conn) conn:sned('x') end}",
                "conn has no field 'sned'; did you mean 'send'?"
            ),
            (
                "local h = {} function h.onOpen(c) c:sned('') end return h",
                "conn has no field 'sned'; did you mean 'send'?"
            ),
            (
                "function onUpgrade(request) return request.pth == '/' end",
                "request has no field 'pth'; did you mean 'path'?"
            ),
        ])
    func found(source: String, message: String) throws {
        #expect(try findings("\n" + source) == ["main.lua:2: \(message)"])
    }

    @Test("in a returned table, with the line of the wrong handler, once")
    func returnedTable() throws {
        #expect(
            try findings("return {\n  onMesage = function() end\n}") == [
                "main.lua:2: unknown handler 'onMesage'; did you mean 'onMessage'?"
            ])
    }

    @Test("in modules, which define no handlers")
    func modules() throws {
        let found = try findings(
            "require 'a'", modules: ["a": "local M = {}\nfunction M.f()\nonOpen = 1 end\nreturn M"])
        #expect(found == ["lib/a.lua:3: undefined global 'onOpen'; write 'local onOpen' to declare it"])
    }

    @Test("all of them, in line order, with those of the dry run and the compiler")
    func order() throws {
        let bundle = try ScriptBundle(
            version: 3,
            scripts: ["a": "function onOpen()\n b() end\nlocal function f() c() end\nerror('oops')", "b": "x ="])
        let errors = ScriptEngine.check(bundle, options: ScriptOptions())
        #expect(
            errors.map(\.summary) == [
                "a.lua:2: undefined global 'b'", "a.lua:3: undefined global 'c'",
                "b.lua:1: unexpected symbol near <eof>",
            ])
        #expect(errors.first?.sourceLine == " b() end" && errors.first?.version == 3)
    }

    @Test(
        "and reports nothing that is right, or not certain",
        arguments: [
            "function onMessage(conn) onClose(conn) end function onClose(conn) return conn.data end",
            "local function f(conn) return conn.whatever, conn:anything() end f({anything = print, whatever = 1})",
            "local t = {onMessage = function(self) return self.rooms end} t.onMessage({})",
            "local Room = {} function Room:onMessage(conn) return self.members, conn.id end",
            "function onMessage(conn) conn = conn.data return conn.anything end",
            "function onMessage(conn) local function f() conn = {} end f() return conn.anything end",
            "function onMessage(conn) conn.data = {} conn.data.x = conn.data.y end",
            "function onMessage(conn) local server = {} server.anything() server.x = 1 end",
            "function onMessage(conn) local _ENV = {conn = conn} return anything, conn.id end",
            "if string.fancy then string.fancy() end local unpack = table.unpack or table.unpck",
            "function onOpen() return config.anything, config.other.thing end",
            "function onOpen(...) local c = ... return c.whatever end",
            "function onOpen() return ('x'):anything() end",
            "local s = server function onOpen() if s then s = {} end s.anything() end",
            "local x for i = 1, 3 do x = server if i > 1 then x = {f = print} end x = nil end",
            "function onOpen(conn) for k, v in pairs(conn.query) do local t = {conn.id, k, v} t = nil end end",
            "function onUpgrade(request) return {user = request.cookies.session, n = request.query.n} end",
            "local x if server.version < 9 then x = {f = print} else x = server end if x then x.f() end",
            "goto done do local kv = {} kv.anything = 1 end ::done::",
        ])
    func silent(source: String) throws {
        #expect(try findings(source) == [])
    }

    /// It is no chunk or another one.
    @Test("a damaged compiled chunk never traps")
    func damage() throws {
        let stage = try Stage()
        let source = """
            local a <const>, b = 1, 2.5
            function onOpen(conn) for i = 1, 3 do conn:send(("x"):rep(i) .. a) end return conn.ip end
            return {onMessage = function(conn, message) local t = {1, 2, "three"} return t, message, b end}
            """
        let file = ScriptFile(name: "main", path: "main.lua", source: source)
        let bytes = try #require(stage.engine.compiled(file))
        let vocabulary = stage.engine.vocabulary
        #expect(LuaChunk.mainFunction(of: bytes)?.functions.count == 2)
        for count in 0..<bytes.count {
            #expect(LuaChunk.mainFunction(of: Array(bytes.prefix(count))) == nil)
        }
        var generator = SeededGenerator(seed: 7)
        var taken = 0
        for _ in 0..<20_000 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                damaged[Int.random(in: 0..<damaged.count, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            guard let main = LuaChunk.mainFunction(of: damaged) else { continue }
            taken += 1
            _ = ScriptLint.findings(in: main, vocabulary: vocabulary, isScript: true)
        }
        #expect(taken >= 1_000)
    }
}

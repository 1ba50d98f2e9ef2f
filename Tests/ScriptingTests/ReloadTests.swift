import Testing

@testable import Scripting

@Suite("reload", .bounded)
struct ReloadTests {
    let stage: Stage

    init() throws {
        stage = try Stage()
    }

    /// The connection's data survives.
    @Test("the next message runs the new code")
    func dataSurvives() throws {
        let counting =
            "function onMessage(conn) conn.data.n = (conn.data.n or 0) + 1 conn:send('VERSION ' .. conn.data.n) end"
        try stage.load(["main": counting.replacing("VERSION", with: "old")], version: 1)
        stage.message()
        let report = try stage.load(["main": counting.replacing("VERSION", with: "new")], version: 2)
        stage.message()
        #expect(stage.host.sent == ["old 1", "new 2"])
        #expect(report.version == 2 && report.previousVersion == 1 && report.missingScripts.isEmpty)
        #expect(stage.engine.version == 2)
    }

    @Test("a failed or discarded bundle leaves the old one unchanged")
    func failure() throws {
        try stage.load(["main": "local n = 0 function onMessage(conn) n = n + 1 conn:send(n) end"], version: 1)
        stage.message()
        for source in ["x =", "error('no')", "function onMessage(conn) conn:send('new') end nope()"] {
            #expect(try !stage.prepare(["main": source], version: 2).errors.isEmpty)
            stage.message()
        }
        try stage.prepare(["main": "function onMessage(conn) conn:send('new') end"], version: 3).get()
        stage.message()
        stage.engine.discard()
        stage.message()
        #expect(stage.host.sent == ["1", "2", "3", "4", "5", "6"])
        #expect(stage.engine.version == 1)
    }

    @Test("between prepare and commit the old code runs")
    func between() throws {
        try stage.load(["main": "function onMessage(conn) conn:send('old') end"], version: 1)
        try stage.prepare(["main": "function onMessage(conn) conn:send('new') end"], version: 2).get()
        stage.message()
        stage.engine.commit()
        stage.message()
        #expect(stage.host.sent == ["old", "new"])
    }

    @Test("onStart runs at the first commit, onReload at later ones")
    func life() throws {
        let source =
            "function onStart() server.broadcast('start') end function onReload(v) server.broadcast('reload ' .. v) end"
        for version in 7...9 { try stage.load(["main": source], version: UInt64(version)) }
        #expect(stage.host.calls == ["start", "reload 7", "reload 8"].map { .broadcast($0, binary: false) })
    }

    /// The script main serves for one that is gone.
    @Test("a script keeps its number")
    func missing() throws {
        let says = { (name: String) in "function onMessage(conn) conn:send('\(name)') end" }
        try stage.load(["main": says("main"), "chat": says("chat")], version: 1)
        let chat = try #require(stage.engine.script(forPath: "/chat"))
        let ask = {
            _ = self.stage.engine.onMessage(
                chat, self.stage.first, UnsafeRawBufferPointer(start: nil, count: 0), binary: false)
        }
        ask()
        let report = try stage.load(["main": says("main2")], version: 2)
        #expect(report.missingScripts == ["chat"])
        ask()
        #expect(stage.engine.script(forPath: "/chat") == stage.main)
        let bare = try stage.load(["other": says("other")], version: 3)
        #expect(bare.missingScripts == ["chat", "main"])
        #expect(stage.engine.script(forPath: "/chat") == nil)
        ask()
        try stage.load(["chat": says("chat again")], version: 4)
        ask()
        #expect(stage.engine.script(forPath: "/chat") == chat)
        #expect(stage.host.sent == ["chat", "main2", "chat again"])
    }

    @Test("paths are served by file name, main serves the rest")
    func routes() throws {
        try stage.load(["main": "", "chat": "", "games/chess": ""])
        #expect(stage.engine.script(forPath: "/games/chess").map(stage.engine.name) == "games/chess")
        #expect(stage.engine.script(forPath: "/").map(stage.engine.name) == "main")
        #expect(stage.engine.script(forPath: "/main").map(stage.engine.name) == "main")
        #expect(stage.engine.script(forPath: "/games").map(stage.engine.name) == "main")
    }

    @Test("explicit routes replace those by file name")
    func explicitRoutes() throws {
        let bundle = try ScriptBundle(
            version: 1, scripts: ["main": "", "chat": ""], routes: ["/talk": "chat", "*": "main"])
        try stage.engine.prepare(bundle).get()
        stage.engine.commit()
        #expect(stage.engine.script(forPath: "/talk").map(stage.engine.name) == "chat")
        #expect(stage.engine.script(forPath: "/chat").map(stage.engine.name) == "main")
        #expect(throws: ScriptErrors.self) {
            try ScriptBundle(version: 1, scripts: ["main": ""], routes: ["/x": "none"])
        }
    }

    @Test("1,000 reloads leave one generation alive and the memory unchanged")
    func leak() throws {
        let sources = [
            "main": """
            local util = require "util"
            local cache, self = {}, nil
            local Room = server.class("Room")
            Room.__index = Room
            function Room:enter() return cache, self end
            local rooms = server.state("rooms", VERSION, function() return {list = {}} end, function(old)
                old.list[1] = setmetatable({}, Room)
                return old
            end)
            server.every("tick", 5, function() cache[1] = util.name end)
            server.cron("nightly", "0 3 * * *", function() cache[2] = rooms end)
            function onStart() server.after(60, function() return cache end) end
            function onReload() server.after(60, function() return cache end) end
            function onOpen(conn) conn.data.seen = true conn.data.room = conn.data.room or setmetatable({}, Room) end
            function onMessage(conn, message) self = coroutine.wrap(function() coroutine.yield(message) end) self() end
            """,
            "chat": "return {onMessage = function(conn) error('x') end}",
        ]
        let modules = ["util": "local big = ('x'):rep(2000) return {name = big}"]
        let chat = stage.engine.intern("chat")
        var before = 0
        for version in 1...1_050 {
            // Every third version migrates.
            let numbered = sources.mapValues { $0.replacing("VERSION", with: "\(version / 3 + 1)") }
            try stage.load(numbered, modules: modules, version: UInt64(version))
            if case .setTimer(let number, 60, nil, nil) = stage.host.calls.last { _ = stage.engine.fireTimer(number) }
            stage.host.calls = []
            _ = stage.open()
            stage.message("m")
            _ = stage.engine.onMessage(chat, stage.first, UnsafeRawBufferPointer(start: nil, count: 0), binary: false)
            if version % 10 == 0 { _ = try stage.prepare(["main": "local x = {} error('no')"], version: 9_999) }
            if version == 50 {
                stage.engine.collect()
                before = stage.engine.memoryInUse
            }
        }
        stage.engine.collect()
        #expect(stage.engine.generationsAlive == 1)
        #expect(stage.engine.memoryInUse - before < 64 * 1024)
        #expect(stage.engine.link.timers.count == 2)
    }

    @Test("a generation lives exactly as long as something of it is held")
    func sentinel() throws {
        let source =
            """
            function onMessage(conn, m) if m == 'hold' then conn.data.f = function() return server end else
            conn.data.f = nil end end
            """
        try stage.load(["main": source], version: 1)
        stage.message("hold")
        try stage.load(["main": source], version: 2)
        stage.engine.collect()
        #expect(stage.engine.generationsAlive == 2)
        stage.message("drop")
        stage.engine.collect()
        #expect(stage.engine.generationsAlive == 1)
    }
}

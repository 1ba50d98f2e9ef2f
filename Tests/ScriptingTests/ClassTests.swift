// server.class: objects of old code get the methods of new code, and a failed reload changes no class.

import Testing

@testable import Scripting

@Suite("server.class", .bounded)
struct ClassTests {
    let stage: Stage

    init() throws {
        stage = try Stage()
    }

    /// Objects of a class that are made by the code that opens the connection, and used by the code that handles its
    /// message.
    private static func asking(_ word: String, extra: String = "") -> String {
        """
        local Room = server.class("Room")
        Room.__index = Room
        function Room:word() return "\(word)" end
        \(extra)
        function onOpen(conn) conn.data.room = setmetatable({}, Room) end
        function onMessage(conn)
            local room = conn.data.room
            conn:send(room:word() .. " " .. tostring(getmetatable(room) == Room) .. " " .. tostring(room.gone ~= nil))
        end
        """
    }

    @Test("an object of old code has the new methods and is still of its class")
    func newMethods() throws {
        try stage.load(["main": Self.asking("old", extra: "function Room:gone() end")])
        _ = stage.open()
        stage.says("old true true")
        for version in 2...4 {
            try stage.load(["main": Self.asking("v\(version)")], version: UInt64(version))
            stage.says("v\(version) true false")
        }
        stage.engine.collect()
        #expect(stage.engine.generationsAlive == 1)
    }

    @Test("a candidate that fails or is discarded leaves the methods as they were")
    func failure() throws {
        try stage.load(["main": Self.asking("old")])
        _ = stage.open()
        let broken = [
            "error('no')", "server.class('Other') server.class('Other')", "while true do end",
            "server.state('s', 1, error)",
        ]
        for extra in broken {
            #expect(try !stage.prepare(["main": Self.asking("new", extra: extra)], version: 2).errors.isEmpty)
            stage.says("old true false")
        }
        try stage.prepare(["main": Self.asking("new")], version: 2).get()
        stage.says("old true false")
        stage.engine.discard()
        stage.says("old true false")
        let migrating = { (version: Int, body: String) in
            Self.asking(
                "m\(version)", extra: "server.state('s', \(version), function() return {} end, function() \(body) end)")
        }
        try stage.load(["main": migrating(1, "")], version: 3)
        try stage.prepare(["main": migrating(2, "error('no')")], version: 4).get()
        #expect(!stage.engine.migrate().errors.isEmpty)
        stage.says("m1 true false")
    }

    @Test("a class's own metatable belongs to its version")
    func inheritance() throws {
        let inheriting = { (base: String) in
            Self.asking("x", extra: "setmetatable(Room, {__index = {gone = '\(base)'}})")
        }
        try stage.load(["main": inheriting("base")])
        _ = stage.open()
        stage.says("x true true")
        try stage.load(["main": Self.asking("y")], version: 2)
        stage.says("y true false")
        try stage.prepare(["main": inheriting("again")], version: 3).get()
        stage.says("y true false")
        stage.engine.commit()
        stage.says("x true true")
    }

    @Test("objects find their class's methods without __index, after a reload too")
    func index() throws {
        let script = { (word: String, extra: String) in
            """
            local Room = server.class("Room")
            function Room:word() return "\(word)" end
            \(extra)
            function onOpen(conn) conn.data.room = setmetatable({own = 1}, Room) end
            function onMessage(conn) conn:send(conn.data.room:word() .. tostring(conn.data.room.none)) end
            """
        }
        try stage.load(["main": script("old", "")])
        _ = stage.open()
        stage.says("oldnil")
        try stage.load(["main": script("new", "")], version: 2)
        stage.says("newnil")
        let other = "Room.__index = function(_, name) return name == 'word' and function() return 'mine' end or 7 end"
        try stage.load(["main": script("lost", other)], version: 3)
        stage.says("mine7")
        try stage.load(["main": script("again", "")], version: 4)
        stage.says("againnil")
    }

    @Test("only a class without code and objects is forgotten")
    func forgotten() throws {
        try stage.load(["main": Self.asking("old")])
        _ = stage.open()
        try stage.load(["main": "function onMessage(conn) conn:send(conn.data.room:word()) end"], version: 2)
        stage.says("old")
        stage.engine.collect()
        try stage.load(["main": Self.asking("new")], version: 3)
        stage.says("new true false")
        stage.engine.forget(stage.first)
        try stage.load(["main": ""], version: 4)
        stage.engine.collect()
        #expect(stage.engine.generationsAlive == 1)
    }

    @Test(
        "mistakes are errors",
        arguments: [
            ("server.class()", "server.class: the name must be a string, not no value"),
            ("server.class('')", "server.class: the name must have from 1 to 1024 bytes"),
            ("local A = server.class('A') A.__gc = print", "server.class: a class cannot have __gc"),
            ("local A = server.class('A') A.__mode = 'k'", "server.class: a class cannot have __mode"),
            ("server.class('A') server.class('A')", "server.class: there are two classes named 'A'"),
        ])
    func mistakes(source: String, message: String) throws {
        #expect(try stage.prepare(["main": source]).errors.map(\.message) == [message])
        #expect(
            try stage.failure("server.class('A')").message
                == "server.class is called while a script loads, not in a handler")
    }

    @Test(
        "a class's metatable cannot get fields that setmetatable refuses", arguments: ["__gc", "__mode"])
    func laterMetatable(field: String) throws {
        let stage = try Stage()
        let problems = try stage.prepare([
            "main": "local mt = {} setmetatable(server.class('C'), mt) mt['\(field)'] = 'v'"
        ]).errors
        #expect(problems.first?.message == "server.class: a class's metatable cannot have \(field)")
    }

    @Test("fields that create or migrate gives a class are checked too")
    func armedWhileFilling() throws {
        let source = { (version: Int, create: String, migrate: String) in
            """
            local C = server.class("C")
            server.state("s", \(version), function() \(create) return {} end, function(old) \(migrate) return old end)
            """
        }
        let stage = try Stage()
        for (body, what) in [
            ("C.__gc = print", "a class cannot have __gc"),
            ("setmetatable(C, {}) getmetatable(C).__mode = 'v'", "a class's metatable cannot have __mode"),
        ] {
            #expect(
                try Stage().prepare(["main": source(1, body, "")]).errors.map(\.message) == ["server.class: \(what)"])
            try stage.load(["main": source(1, "", "")], version: stage.engine.version + 1)
            try stage.prepare(["main": source(2, "", body)], version: stage.engine.version + 1).get()
            #expect(stage.engine.migrate().errors.map(\.message) == ["server.class: \(what)"])
        }
    }

    @Test("a __gc that a class's metatable gets later is never called")
    func laterFinalizer() throws {
        let stage = try Stage()
        let declaring = "local C = server.class('C') setmetatable(C, {})"
        let arming = "function onMessage(conn) getmetatable(C).__gc = function() conn:send('finalized') end end"
        for version in 1...4 {
            try stage.load(["main": "\(declaring)\n\(arming)"], version: UInt64(version))
            #expect(stage.message().isDone)
            stage.engine.collect()
        }
        try stage.load(["main": "function onMessage(conn) conn:send('alive') end"], version: 5)
        for _ in 0..<3 { stage.engine.collect() }
        #expect(stage.message().isDone)
        #expect(stage.host.sent == ["alive"])
    }
}

// server.state: declarations that are accepted or refused, and the values that a state may hold.

import Testing

@testable import Scripting

@Suite("server.state: declarations", .bounded)
struct StateDeclarationTests {
    let stage: Stage

    init() throws {
        stage = try Stage()
    }

    @Test("a state cannot be used while the script loads and the error says so")
    func unfilled() throws {
        for use in ["s.x = 1", "print(s.x)", "print(#s)", "for _ in pairs(s) do end"] {
            let errors = try stage.prepare(
                ["main": "local s = server.state('s', 1, function() return {} end)\n\(use)"], version: 2
            ).errors
            let wanted =
                "main.lua:2: server.state: 's' is filled when the scripts go live; use it in handlers, not while the "
                + "script loads"
            #expect(errors.map(\.summary) == [wanted])
        }
    }

    @Test("the check finds a failing create and the early use of a state")
    func check() throws {
        func errors(_ source: String) throws -> [String] {
            ScriptEngine.check(try ScriptBundle(version: 1, scripts: ["main": source]), options: ScriptOptions())
                .map(\.summary)
        }
        #expect(try errors("server.state('s', 1, function()\nerror('no') end)") == ["main.lua:2: no"])
        #expect(try !errors("local s = server.state('s', 1, function() return {} end) s.x = 1").isEmpty)
    }

    @Test("create may use later definitions of its file, classes too")
    func createRunsLast() throws {
        let source = """
            local Room = server.class("Room")
            local make
            local rooms = server.state("rooms", 1, function() return make() end)
            Room.__index = Room
            function Room:name() return "room" end
            function make() return {one = setmetatable({}, Room)} end
            function onMessage(conn) conn:send(rooms.one:name()) end
            """
        try stage.load(["main": source])
        stage.says("room")
    }

    @Test(
        "only plain values can be kept",
        arguments: [
            ("5", "create must return a table, not number"),
            ("nil", "create must return a table, not nil"),
            ("{f = print}", ".f is a function, not a plain value"),
            ("{a = {[3] = {b = coroutine.create(print)}}}", ".a[3].b is a thread, not a plain value"),
            ("{[print] = 1}", "the value has a key that is not a string, a number or a boolean"),
            ("{x = {[{}] = 1}}", ".x has a key that is not a string, a number or a boolean"),
            ("{x = setmetatable({}, {})}", ".x has a metatable that is not a class of server.class"),
        ])
    func plain(value: String, message: String) throws {
        let errors = try stage.prepare(["main": "\nserver.state('s', 1, function() return \(value) end)"]).errors
        #expect(errors.map(\.summary) == ["main.lua:2: server.state 's': \(message)"])
    }

    /// Cycles and conns can.
    @Test("64 nested tables can be kept, 65 cannot")
    func depth() throws {
        func nested(_ depth: Int) -> String {
            "server.state('s', 1, function() local t = {} for i = 2, \(depth) do t = {t} end return t end)"
        }
        try stage.load(["main": nested(64)])
        let errors = try Stage().prepare(["main": nested(65)]).errors
        #expect(errors.first?.message.hasSuffix("is nested more than 64 tables deep") == true)
        let declaring = { (version: Int) in
            """
            local s = server.state("web", \(version), function() local t = {} t.self = t t.twice = {x = 1} t.again = t.twice return t end,
                function(old) return old end)
            function onOpen(conn) s.conn = conn end
            function onMessage(conn) conn:send(tostring(s.self.again == s.twice) .. " " .. tostring(s.conn == conn)) end
            """
        }
        try stage.load(["main": declaring(1)], version: 2)
        _ = stage.open()
        try stage.load(["main": declaring(2)], version: 3)
        stage.says("true true")
    }

    @Test(
        "mistakes are errors",
        arguments: [
            ("server.state(1, 1, print)", "server.state: the name must be a string, not number"),
            ("server.state('', 1, print)", "server.state: the name must have from 1 to 1024 bytes"),
            ("server.state('s', 0, print)", "server.state: the version must be a whole number from 1, not 0"),
            ("server.state('s', '1', print)", "server.state: the version must be a whole number from 1, not 1"),
            ("server.state('s', 1.5, print)", "server.state: the version must be a whole number from 1, not 1.5"),
            ("server.state('s', 1)", "server.state: expected a function that creates the state, not no value"),
            ("server.state('s', 1, print, 5)", "server.state: expected a function that migrates the state, not number"),
            (
                "local f = function() return {} end server.state('s', 1, f) server.state('s', 1, f)",
                "server.state: there are two states named 's'"
            ),
        ])
    func mistakes(source: String, message: String) throws {
        #expect(try stage.prepare(["main": source]).errors.map(\.message) == [message])
    }

    @Test("in a handler it is a mistake")
    func inHandler() throws {
        #expect(
            try stage.failure("server.state('s', 1, function() return {} end)").message
                == "server.state is called while a script loads, not in a handler")
    }
}

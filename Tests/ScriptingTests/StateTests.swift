// server.state: what survives a reload, and that a reload which fails changes nothing.

import Testing

@testable import Scripting

@Suite("server.state", .bounded)
struct StateTests {
    let stage: Stage

    init() throws {
        stage = try Stage()
    }

    /// A script that counts in a state and says what it finds, under `word`.
    private static func counting(_ word: String, version: Int = 1, migrate: String = "nil") -> String {
        """
        local kept = server.state("count", \(version), function() return {n = 0} end, \(migrate))
        function onMessage(conn) kept.n = (kept.n or 0) + 1 conn:send("\(word) " .. kept.n .. " " .. tostring(kept.old)) end
        """
    }

    private func says(_ text: String) {
        stage.host.calls = []
        if case .failed(let error) = stage.message() { Issue.record("\(error)") }
        #expect(stage.host.sent == [text])
    }

    @Test("survives a reload, the same table with what handlers wrote")
    func survives() throws {
        try stage.load(["main": Self.counting("a")])
        says("a 1 nil")
        try stage.load(["main": Self.counting("b")], version: 2)
        says("b 2 nil")
        #expect(
            try stage.prepare(["main": Self.counting("c") + "\nerror('no')"], version: 3).errors.map(\.message) == [
                "no"
            ])
        says("b 3 nil")
    }

    @Test(
        "is out of reach of a candidate until it is live, whatever the candidate catches",
        arguments: [
            "kept.n = 99", "pcall(function() kept.n = 99 end)", "pcall(function() kept.list[1] = 99 end)",
            "pcall(rawset, kept, 'n', 99)", "pcall(table.insert, kept, 99)", "rawset(kept, 'n', 99)",
            "for k in next, kept do kept[k] = nil end", "pcall(setmetatable, kept, {__index = {old = 99}})",
            "server.state('new', 1, function() pcall(function() kept.n = 99 end) return {kept.n} end)",
            "server.state('new', 1, function() pcall(function() kept.list[1] = 99 end) return {} end)",
        ])
    func shielded(write: String) throws {
        let script = { (word: String, extra: String) in
            """
            local kept = server.state("count", 1, function() return {n = 1, list = {1}} end)
            \(extra)
            function onMessage(conn) conn:send("\(word) " .. kept.n .. kept.list[1] .. #kept .. tostring(kept.old)) end
            """
        }
        try stage.load(["main": script("a", "")])
        says("a 110nil")
        #expect(try !stage.prepare(["main": script("b", write) + "\nerror('no')"], version: 2).errors.isEmpty)
        says("a 110nil")
        let errors = try stage.prepare(["main": script("c", write)], version: 3).errors
        #expect(
            errors.isEmpty
                == (write.contains("pcall(rawset") || write.contains("pcall(setmetatable") || write.contains("next")))
        says("a 110nil")
        stage.engine.discard()
        says("a 110nil")
        try stage.load(["main": script("d", "")], version: 4)
        says("d 110nil")
    }

    @Test("code that uses a state while it loads is refused by the check")
    func sticky() throws {
        let script = { (extra: String) in
            "local s = server.state('s', 1, function() return {} end)\n\(extra)\nfunction onOpen() for i = 1, 5000 do s[i] = i end end"
                + " function onMessage(conn) conn:send(#s .. ' ' .. s[1]) end"
        }
        try stage.load(["main": script("")])
        #expect(stage.open().isDone)
        says("5000 1")
        for write in ["pcall(function() s[1] = 2 end)", "coroutine.resume(coroutine.create(function() s[1] = 2 end))"] {
            let errors = ScriptEngine.check(
                try ScriptBundle(version: 2, scripts: ["main": script(write)]), options: ScriptOptions())
            #expect(
                errors.map(\.summary) == [
                    "main.lua:2: server.state: 's' is filled when the scripts go live; use it in handlers, not while the script loads"
                ])
        }
        try stage.load(["main": script("")], version: 2)
        says("5000 1")
    }

    @Test("is out of reach of the migration of another state, which fails after it")
    func shieldedFromMigration() throws {
        let script = { (version: Int, body: String) in
            """
            local kept = server.state("kept", 1, function() return {n = 1} end)
            server.state("other", \(version), function() return {} end, function(old) \(body) end)
            function onMessage(conn) kept.n = kept.n + 1 conn:send("n " .. kept.n) end
            """
        }
        try stage.load(["main": script(1, "")])
        says("n 2")
        try stage.prepare(
            ["main": script(2, "pcall(function() kept.n = 99 end) pcall(rawset, kept, 'n', 99) error('no')")],
            version: 2
        )
        .get()
        says("n 3")
        #expect(!stage.engine.migrate().errors.isEmpty)
        says("n 4")
        try stage.load(["main": script(2, "return {}")], version: 3)
        says("n 5")
    }

    @Test(
        "a state of any size is out of reach of a candidate",
        arguments: [
            "for k in next, kept do rawset(kept, k, nil) end",
            "pcall(function() kept.k1 = 99 end)", "pcall(rawset, kept, 'k1', 99)",
            "if kv.get('switch') then rawset(kept, 'k1', 99) pcall(function() kept.k2 = 98 end) end",
            "pcall(table.insert, kept, 1, 99)", "pcall(table.move, {7, 8, 9}, 1, 3, 1, kept)",
        ], [900, 1_001, 20_000])
    func shieldedLarge(write: String, size: Int) throws {
        let script = { (top: String, version: Int, migrate: String) in
            """
            local kept = server.state("kept", 1, function()
              local t = {}
              for i = 1, \(size) do t["k" .. i] = i t[i] = i end
              return t
            end)
            server.state("other", \(version), function() return {} end, function(old) \(migrate) return old end)
            \(top)
            function onMessage(conn)
              local n, sum = 0, 0
              for _, v in pairs(kept) do n = n + 1 sum = sum + v end
              conn:send(n .. " " .. sum .. " " .. tostring(kept.k1))
            end
            """
        }
        let whole = "\(2 * size) \(size * (size + 1)) 1"
        _ = stage.engine.link.store.set(Array("switch".utf8), to: .boolean(true))
        try stage.load(["main": script("", 1, "")])
        says(whole)
        #expect(try !stage.prepare(["main": script("\(write) error('no')", 1, "")], version: 2).errors.isEmpty)
        says(whole)
        try stage.prepare(["main": script("", 2, "\(write) error('no')")], version: 3).get()
        says(whole)
        #expect(!stage.engine.migrate().errors.isEmpty)
        says(whole)
        stage.engine.discard()
        says(whole)
        try stage.load(["main": script("", 2, "")], version: 4)
        says(whole)
    }

    @Test("a table whose length says nothing about its fields takes little room", arguments: [23, 30])
    func sparse(top: Int) throws {
        let script = { (version: Int) in
            """
            local kept = server.state("kept", \(version), function() return {} end, function(old) return old end)
            function onOpen(conn)
              for i = 1, 5 do kept[i] = i end
              kept[9] = 9
              for power = 3, \(top) do kept[1 << power] = power end
              conn:send(tostring(#kept))
            end
            function onMessage(conn)
              local n, sum = 0, 0
              for _, v in pairs(kept) do n = n + 1 sum = sum + v end
              conn:send(n .. " " .. sum)
            end
            """
        }
        let whole = "\(6 + top - 2) \(24 + (3...top).reduce(0, +))"
        try stage.load(["main": script(1)])
        #expect(stage.open().isDone)
        #expect(stage.host.sent == ["\(1 << top)"])
        for version in [1, 2] {
            try stage.prepare(["main": script(version)], version: UInt64(version) + 1).get()
            #expect(stage.engine.memoryInUse < 1 << 20)
            says(whole)
            if version == 2 { try stage.engine.migrate().get() }
            stage.engine.commit()
            #expect(stage.engine.memoryInUse < 1 << 20)
            says(whole)
        }
    }

    @Test("a state that fills most of the memory can be reloaded")
    func large() throws {
        let limit = 6 << 20
        let stage = try Stage(options: ScriptOptions(memoryLimit: limit, loadBudget: 30))
        let script = { (version: Int, top: String) in
            """
            local kept = server.state("kept", 1, function() return {} end)
            server.state("other", \(version), function() return {} end, function(old)
              local t = {}
              for i = 1, 1000 do t[i] = "x" .. i end
              return old
            end)
            \(top)
            function onOpen(conn) for i = 1, 60000 do kept["k" .. i] = i end end
            function onMessage(conn, m)
              if m == "count" then
                local n = 0
                for _ in pairs(kept) do n = n + 1 end
                conn:send(tostring(n))
              elseif m == "bomb" then
                local t = {} while true do t[#t + 1] = {} end
              else
                kept[m] = ("x"):rep(32768)
              end
            end
            """
        }
        try stage.load(["main": script(1, "")])
        #expect(stage.open().isDone)
        stage.engine.collect()
        // The slots of the table take 1.5 MiB, and twice that does not fit.
        var pads = 0
        while stage.engine.memoryInUse < limit - (800 << 10), pads < 200 {
            pads += 1
            #expect(stage.message("pad\(pads)").isDone)
            stage.engine.collect()
        }
        for version in 2...4 {
            let bomb = "local t = {} while true do t[#t + 1] = {} end"
            let errors = try stage.prepare(["main": script(version, bomb)], version: UInt64(version)).errors
            #expect(errors.map(\.message) == ["not enough memory"])
            try stage.load(["main": script(version, "")], version: UInt64(version))
            stage.host.calls = []
            #expect(stage.message("count").isDone)
            #expect(stage.host.sent == ["\(60_000 + pads)"])
            // What a reload may take beside the limit ends with it.
            #expect(stage.message("bomb").error?.message == "not enough memory")
            stage.engine.collect()
            #expect(stage.engine.memoryInUse <= limit)
        }
    }

    @Test("a new version is migrated: migrate gets the old table and its version")
    func migrates() throws {
        try stage.load(["main": Self.counting("a")])
        says("a 1 nil")
        let migrate = "function(old, version) return {n = old.n * 10, old = version} end"
        try stage.load(["main": Self.counting("b", version: 3, migrate: migrate)], version: 2)
        says("b 11 1")
        try stage.load(["main": Self.counting("c", version: 3)], version: 3)
        says("c 12 1")
    }

    @Test("migrate works on a copy: when it fails, even halfway, the old state is as it was and the old code goes on")
    func failedMigration() throws {
        try stage.load(["main": Self.counting("a")])
        says("a 1 nil")
        for migrate in [
            "function(old) old.n = 99 error('no') end", "function(old) old.n = 99 end",
            "function(old) old.n = 99 return {print} end", "function(old) old.n = 99 while true do end end",
            "function(old) old.n = 99 coroutine.yield() end", "function(old) old.n = 99 server.broadcast('x') end",
            "function(old) old.n = 99 server.state('late', 1, function() end) end",
        ] {
            try stage.prepare(["main": Self.counting("b", version: 2, migrate: migrate)], version: 2).get()
            #expect(stage.engine.needsMigration)
            let errors = stage.engine.migrate().errors
            #expect(errors.count == 1 && errors[0].file == "main.lua" && errors[0].line == 1, "\(errors)")
            #expect(!stage.engine.needsMigration)
        }
        says("a 2 nil")
        #expect(stage.engine.version == 1)
    }

    @Test("a migration that is discarded has changed nothing")
    func discarded() throws {
        try stage.load(["main": Self.counting("a")])
        let new = Self.counting("b", version: 2, migrate: "function(old) old.n = 99 return old end")
        try stage.prepare(["main": new], version: 2).get()
        try stage.engine.migrate().get()
        stage.engine.discard()
        says("a 1 nil")
    }

    @Test("several states are migrated together or not at all")
    func several() throws {
        func source(_ version: Int, _ second: String) -> String {
            """
            local a = server.state("a", \(version), function() return {v = 1} end, function(old) return {v = 2} end)
            local b = server.state("b", \(version), function() return {v = 1} end, function(old) \(second) end)
            function onMessage(conn) conn:send(a.v .. b.v) end
            """
        }
        try stage.load(["main": source(1, "")])
        try stage.prepare(["main": source(2, "error('no')")], version: 2).get()
        #expect(stage.engine.migrate().errors.map(\.message) == ["no"])
        says("11")
        try stage.load(["main": source(2, "return {v = 3}")], version: 3)
        says("23")
    }

    @Test("an older version, or a newer one without migrate, fails the load")
    func versions() throws {
        try stage.load(["main": Self.counting("a", version: 2)])
        func message(_ source: String) throws -> [String] {
            try stage.prepare(["main": source], version: 9).errors.map(\.summary)
        }
        #expect(
            try message(Self.counting("b", version: 1)) == [
                "main.lua:1: server.state: 'count' is at version 2 and this script declares version 1; a newer version "
                    + "with a migrate function can bring it to another form"
            ])
        #expect(
            try message(Self.counting("b", version: 3)) == [
                "main.lua:1: server.state: 'count' is at version 2; a migrate function has to bring it to version 3"
            ])
        says("a 1 nil")
    }

    @Test("a state that is not declared is kept for five versions and then forgotten")
    func notDeclared() throws {
        try stage.load(["main": Self.counting("a")])
        says("a 1 nil")
        for version in 2...6 { try stage.load(["main": ""], version: UInt64(version)) }
        try stage.load(["main": Self.counting("b")], version: 7)
        says("b 2 nil")
        for version in 8...13 { try stage.load(["main": ""], version: UInt64(version)) }
        try stage.load(["main": Self.counting("c")], version: 14)
        says("c 1 nil")
    }

    @Test("a state cannot be used while the script loads, and the error says so")
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

    @Test("the check off the loop finds a create that fails, and the use of a state that the server has already")
    func check() throws {
        func errors(_ source: String) throws -> [String] {
            ScriptEngine.check(try ScriptBundle(version: 1, scripts: ["main": source]), options: ScriptOptions())
                .map(\.summary)
        }
        #expect(try errors("server.state('s', 1, function()\nerror('no') end)") == ["main.lua:2: no"])
        #expect(try !errors("local s = server.state('s', 1, function() return {} end) s.x = 1").isEmpty)
    }

    @Test("create may use what the file defines below the declaration, classes too")
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
        says("room")
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

    @Test("64 tables in each other can be kept, 65 cannot; a state may contain itself, and conns")
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
        says("true true")
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

    @Test("wherever memory ends, a reload with states and classes goes through or leaves the old version whole")
    func memory() throws {
        let source = { (version: Int) in
            """
            local Room = server.class("Room") Room.__index = Room
            function Room:word() return "v\(version)" end
            local s = server.state("s", \(version), function() return {n = 1, room = setmetatable({}, Room)} end,
                function(old, from) assert(from == \(version) - 1) return {n = old.n + 1, room = old.room, pad = {1, 2, 3}} end)
            function onMessage(conn) conn:send(s.n .. s.room:word()) end
            """
        }
        try stage.load(["main": source(1)])
        var version = 1
        for count in 0..<400 {
            stage.engine.refuseAllocations(after: count)
            var went = false
            if case .success = try stage.prepare(["main": source(version + 1)], version: UInt64(version + 1)) {
                if case .success = stage.engine.migrate() {
                    stage.engine.commit()
                    went = true
                }
            }
            stage.engine.refuseAllocations(after: -1)
            if went { version += 1 }
            says("\(version)v\(version)")
        }
        #expect(version > 1)
    }
}

// server.state: values survive a reload, and a failed reload changes nothing.

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

    @Test("survives a reload as the same table with the handlers' values")
    func survives() throws {
        try stage.load(["main": Self.counting("a")])
        stage.says("a 1 nil")
        try stage.load(["main": Self.counting("b")], version: 2)
        stage.says("b 2 nil")
        #expect(
            try stage.prepare(["main": Self.counting("c") + "\nerror('no')"], version: 3).errors.map(\.message) == [
                "no"
            ])
        stage.says("b 3 nil")
    }

    @Test(
        "is out of a candidate's reach until it is live",
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
        stage.says("a 110nil")
        #expect(try !stage.prepare(["main": script("b", write) + "\nerror('no')"], version: 2).errors.isEmpty)
        stage.says("a 110nil")
        let errors = try stage.prepare(["main": script("c", write)], version: 3).errors
        #expect(
            errors.isEmpty
                == (write.contains("pcall(rawset") || write.contains("pcall(setmetatable") || write.contains("next")))
        stage.says("a 110nil")
        stage.engine.discard()
        stage.says("a 110nil")
        try stage.load(["main": script("d", "")], version: 4)
        stage.says("d 110nil")
    }

    @Test("code that uses a state while it loads is refused by the check")
    func sticky() throws {
        let script = { (extra: String) in
            "local s = server.state('s', 1, function() return {} end)\n\(extra)\nfunction onOpen() for i = 1, 5000 do s[i] = i end end"
                + " function onMessage(conn) conn:send(#s .. ' ' .. s[1]) end"
        }
        try stage.load(["main": script("")])
        #expect(stage.open().isDone)
        stage.says("5000 1")
        for write in ["pcall(function() s[1] = 2 end)", "coroutine.resume(coroutine.create(function() s[1] = 2 end))"] {
            let errors = ScriptEngine.check(
                try ScriptBundle(version: 2, scripts: ["main": script(write)]), options: ScriptOptions())
            #expect(
                errors.map(\.summary) == [
                    "main.lua:2: server.state: 's' is filled when the scripts go live; use it in handlers, not while the script loads"
                ])
        }
        try stage.load(["main": script("")], version: 2)
        stage.says("5000 1")
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
        stage.says("n 2")
        try stage.prepare(
            ["main": script(2, "pcall(function() kept.n = 99 end) pcall(rawset, kept, 'n', 99) error('no')")],
            version: 2
        )
        .get()
        stage.says("n 3")
        #expect(!stage.engine.migrate().errors.isEmpty)
        stage.says("n 4")
        try stage.load(["main": script(2, "return {}")], version: 3)
        stage.says("n 5")
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
        stage.says(whole)
        #expect(try !stage.prepare(["main": script("\(write) error('no')", 1, "")], version: 2).errors.isEmpty)
        stage.says(whole)
        try stage.prepare(["main": script("", 2, "\(write) error('no')")], version: 3).get()
        stage.says(whole)
        #expect(!stage.engine.migrate().errors.isEmpty)
        stage.says(whole)
        stage.engine.discard()
        stage.says(whole)
        try stage.load(["main": script("", 2, "")], version: 4)
        stage.says(whole)
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
            stage.says(whole)
            if version == 2 { try stage.engine.migrate().get() }
            stage.engine.commit()
            #expect(stage.engine.memoryInUse < 1 << 20)
            stage.says(whole)
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
            // The reload's allowance beyond the limit ends with the reload.
            #expect(stage.message("bomb").error?.message == "not enough memory")
            stage.engine.collect()
            #expect(stage.engine.memoryInUse <= limit)
        }
    }

    @Test("a new version is migrated: migrate gets the old table and its version")
    func migrates() throws {
        try stage.load(["main": Self.counting("a")])
        stage.says("a 1 nil")
        let migrate = "function(old, version) return {n = old.n * 10, old = version} end"
        try stage.load(["main": Self.counting("b", version: 3, migrate: migrate)], version: 2)
        stage.says("b 11 1")
        try stage.load(["main": Self.counting("c", version: 3)], version: 3)
        stage.says("c 12 1")
    }

    @Test("a migrate that fails, even halfway, leaves the old state unchanged")
    func failedMigration() throws {
        try stage.load(["main": Self.counting("a")])
        stage.says("a 1 nil")
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
        stage.says("a 2 nil")
        #expect(stage.engine.version == 1)
    }

    @Test("a migration that is discarded has changed nothing")
    func discarded() throws {
        try stage.load(["main": Self.counting("a")])
        let new = Self.counting("b", version: 2, migrate: "function(old) old.n = 99 return old end")
        try stage.prepare(["main": new], version: 2).get()
        try stage.engine.migrate().get()
        stage.engine.discard()
        stage.says("a 1 nil")
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
        stage.says("11")
        try stage.load(["main": source(2, "return {v = 3}")], version: 3)
        stage.says("23")
    }

    @Test("an older version, or a newer one without migrate, fails the load")
    func versions() throws {
        try stage.load(["main": Self.counting("a", version: 2)])
        func message(_ source: String) throws -> [String] {
            try stage.prepare(["main": source], version: 9).errors.map(\.summary)
        }
        #expect(
            try message(Self.counting("b", version: 1)) == [
                "main.lua:1: server.state: 'count' is at version 2 and this script declares version 1; to go back, "
                    + "load this script with a version above 2 and a migrate function that makes its form from version 2"
            ])
        #expect(
            try message(Self.counting("b", version: 3)) == [
                "main.lua:1: server.state: 'count' is at version 2; a migrate function has to bring it to version 3"
            ])
        stage.says("a 1 nil")
    }

    @Test("old code goes back as a higher version that migrates the newer form")
    func goingBack() throws {
        func source(_ version: Int, _ form: String, migrate: String) -> String {
            """
            local form = server.state("form", \(version), function() return {\(form) = 1} end, function(old, version)
                \(migrate)
            end)
            function onMessage(conn) conn:send(next(form) .. form.\(form)) end
            """
        }
        let stage = try Stage(source(1, "old", migrate: "error('none before')"))
        try stage.load(["main": source(2, "new", migrate: "return {new = old.old + 1}")], version: 2)
        stage.says("new2")
        #expect(try stage.prepare(["main": source(1, "old", migrate: "return old")], version: 3).errors.count == 1)
        let back = "assert(version == 2) return {old = old.new + 1}"
        try stage.load(["main": source(3, "old", migrate: back)], version: 4)
        stage.says("old3")
    }

    @Test("an undeclared state is kept for five versions and then forgotten")
    func notDeclared() throws {
        try stage.load(["main": Self.counting("a")])
        stage.says("a 1 nil")
        for version in 2...6 { try stage.load(["main": ""], version: UInt64(version)) }
        try stage.load(["main": Self.counting("b")], version: 7)
        stage.says("b 2 nil")
        for version in 8...13 { try stage.load(["main": ""], version: UInt64(version)) }
        try stage.load(["main": Self.counting("c")], version: 14)
        stage.says("c 1 nil")
    }

    @Test("a reload without memory goes through or leaves the old version whole")
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
            stage.says("\(version)v\(version)")
        }
        #expect(version > 1)
    }
}

import Testing

@testable import Scripting

@Suite("limits on blocks and coroutines", .bounded)
struct LimitTests {
    private func stage(largestBlock: Int = 1 << 20, coroutines: Int = 100) throws -> Stage {
        var options = ScriptOptions()
        options.largestBlock = largestBlock
        options.coroutines = coroutines
        return try Stage(options: options)
    }

    @Test(
        "a block over the limit is refused by name, one at the limit is not",
        arguments: [
            "local s = ('x'):rep(1 << 19) s = s .. s .. s", "local t = {} for i = 1, 1e6 do t[i] = i end",
            "string.pack('c2000000', '')", "local t = {} for i = 1, 1e6 do t[i] = 'abcdef' end return table.concat(t)",
        ])
    func largestBlock(body: String) throws {
        let stage = try stage()
        let error = try stage.failure(body)
        #expect(error.message.hasPrefix("not enough memory: a block of "))
        #expect(error.message.hasSuffix(" bytes is over the limit of 1048576 (scripts.largestBlock)"))
        #expect(try stage.run("show(#('x'):rep((1 << 20) - 100))") == ["1048476"])
    }

    @Test("string.rep says so before it asks for memory")
    func rep() throws {
        let error = try stage().failure("return ('x'):rep(1e7)")
        #expect(error.message == "string.rep: the result would be longer than 1048576 bytes (scripts.largestBlock)")
    }

    @Test("without a limit on blocks only the memory counts")
    func noLimit() throws {
        #expect(try stage(largestBlock: 0).run("show(#('x'):rep(20e6))") == ["20000000"])
    }

    /// Collected ones do not count.
    @Test("one coroutine too many is refused")
    func coroutines() throws {
        let stage = try stage()
        let shown = try stage.run(
            """
            local kept = {}
            for i = 1, 100 do kept[i] = coroutine.create(function() coroutine.yield() end) coroutine.resume(kept[i]) end
            show(pcall(coroutine.create, print))
            show(pcall(coroutine.wrap, print))
            kept[1] = nil
            kept[50] = nil
            for i = 1, 1000 do coroutine.create(print) end
            kept[1] = coroutine.wrap(print)
            for i = 1, 1000 do coroutine.wrap(print) end
            kept = nil
            for i = 1, 1000 do coroutine.create(print) end
            """)
        #expect(
            shown == [
                "false coroutine.create: there are 100 coroutines, as many as there may be (scripts.coroutines)",
                "false coroutine.wrap: there are 100 coroutines, as many as there may be (scripts.coroutines)",
            ])
        stage.engine.collect()
        #expect(stage.engine.coroutines == 0)
    }

    @Test("coroutines that are refused seldom cost a full collection")
    func refusedCoroutines() throws {
        let stage = try stage(coroutines: 1000)
        try stage.load([
            "main": """
            local kept = {}
            for i = 1, 1000 do kept[i] = coroutine.create(print) end
            function onMessage(conn, m)
              if m == "forget" then kept = {} end
              local made = 0
              for i = 1, 160 do made = made + (pcall(coroutine.create, print) and 1 or 0) end
              conn:send(tostring(made))
            end
            """
        ])
        let before = stage.engine.collections
        for _ in 0..<10 { #expect(stage.message().isDone) }
        #expect(Set(stage.host.sent) == ["0"])
        #expect(stage.engine.collections - before <= 107)
        #expect(stage.message("forget").isDone)
        #expect(Int(stage.host.sent.last ?? "") ?? 0 >= 144)
    }

    @Test("events run although scripts have all the coroutines that they may have")
    func ownCoroutines() throws {
        let stage = try stage(coroutines: 5)
        try stage.load([
            "main": """
            local kept = {}
            function onMessage(conn)
              for i = #kept + 1, 5 do kept[i] = coroutine.create(print) end
              conn:send(tostring(#kept))
            end
            """
        ])
        for _ in 0..<50 { #expect(stage.message().isDone) }
        #expect(stage.engine.coroutines == 5)
    }

    @Test("thousands of coroutines that come and go are counted right")
    func churn() throws {
        let stage = try stage(coroutines: 3_000)
        try stage.load([
            "main": """
            local kept, seed = {}, 1
            function onMessage(conn)
              for i = 1, 1000 do
                seed = (seed * 16807) % 2147483647
                kept[seed % 2500] = seed % 3 > 0 and coroutine.create(print) or nil
              end
              local n = 0
              for _ in pairs(kept) do n = n + 1 end
              conn:send(tostring(n))
            end
            """
        ])
        for _ in 0..<20 {
            #expect(stage.message().isDone)
            stage.engine.collect()
            #expect(stage.host.sent.last == "\(stage.engine.coroutines)")
        }
    }
}

// Events that end the codec half way: no memory, the block limit, a kill. Nothing may leak.

import SeededGenerator
import Testing

@testable import Scripting

@Suite("json: limits", .bounded)
struct JSONLimitTests {
    private static let script = """
        local function make(n)
            local list = {}
            for i = 1, n do list[i] = {id = i << 40, name = "user\\n" .. i, tags = {i / 3, true, json.null}} end
            return list
        end
        local kept = make(200)
        local text = json.encode(kept)
        function onOpen(conn)
            local value = assert(json.decode(text))
            assert(#value == 200 and value[200].id == 200 << 40)
            conn:send(value)
            conn:send(json.encode(kept) == text and "same" or "other")
        end
        function onMessage(conn, size)
            local big = {}
            for i = 1, math.tointeger(size) do big[i] = kept end
            local encoded = json.encode(big)
            json.decode(encoded)
            json.decode('["' .. ("\\\\n"):rep(#encoded // 2) .. '"]')
            conn:send(big)
        end
        """

    private func works(_ stage: Stage) {
        stage.host.calls = []
        #expect(stage.open().isDone)
        #expect(stage.host.sent.last == "same")
        stage.host.calls = []
    }

    @Test("a refused allocation in the codec fails the event and leaks nothing")
    func allocations() throws {
        let stage = try Stage(Self.script)
        works(stage)
        stage.engine.collect()
        let before = stage.engine.memoryInUse
        var failed = 0
        var refused = 0
        while true {
            stage.engine.refuseAllocations(after: refused)
            let outcome = stage.open()
            stage.engine.refuseAllocations(after: -1)
            guard let error = outcome.error else { break }
            #expect(error.message.contains("not enough memory"))
            failed += 1
            refused += refused < 60 ? 1 : 37
        }
        #expect(failed > 80)
        works(stage)
        stage.engine.collect()
        #expect(stage.engine.memoryInUse - before <= 1_024)
    }

    @Test("a kill at any time in the codec ends the event and leaks nothing", arguments: 1...4)
    func kills(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        var killed = 0
        for _ in 0..<12 {
            var options = ScriptOptions()
            options.budget = Double.random(in: 0.001...0.02, using: &random)
            options.warning = 0
            let stage = try Stage(options: options)
            try stage.load(["main": Self.script])
            stage.engine.collect()
            let before = stage.engine.memoryInUse
            for _ in 0..<3 {
                let start = LoopTests.processorSeconds()
                let error = stage.message("\(Int.random(in: 100...400, using: &random))").error
                // Generous, for the code after the kill in a debug build on a busy machine.
                #expect(LoopTests.processorSeconds() - start < options.budget + 1)
                #expect(error == nil || error?.kill == .budget)
                killed += error == nil ? 0 : 1
            }
            stage.engine.collect()
            #expect(stage.engine.memoryInUse - before < 100 << 10)
        }
        #expect(killed > 6)
    }

    /// The buffers are freed.
    @Test(
        "text over the memory or block limit fails", arguments: [2, 8])
    func memory(megabytes: Int) throws {
        var options = ScriptOptions(memoryLimit: megabytes << 20)
        options.largestBlock = 1 << 20
        options.budget = 0
        let stage = try Stage(options: options)
        try stage.load(["main": Self.script])
        works(stage)
        stage.engine.collect()
        let before = stage.engine.memoryInUse
        for size in [20, 50, 90, 100, 200, 400, 2_000] {
            let outcome = stage.message("\(size)")
            #expect(size < 100 || outcome.error?.message.contains("not enough memory") == true)
            works(stage)
        }
        stage.engine.collect()
        #expect(stage.engine.memoryInUse - before <= 1_024)
    }

    @Test("a text that is refused again and again costs a full collection once")
    func collections() throws {
        for (largestBlock, count, most) in [(1 << 20, 9_000, 0), (0, 12_000, 1)] {
            var options = ScriptOptions(memoryLimit: 16 << 20)
            options.largestBlock = largestBlock
            let stage = try Stage(options: options)
            try stage.load([
                "main": """
                local kept, list = {}, {}
                for i = 1, \(count) do kept[i] = ("x"):rep(1000) .. i end
                for i = 1, \(count / 2) do list[i] = kept[i] end
                function onMessage(conn)
                  for i = 1, 20 do
                    local weak = setmetatable({{}}, {__mode = "v"})
                    assert(not pcall(json.encode, list) and #kept > 0)
                    conn:send(weak[1] and "none" or "full")
                  end
                end
                """
            ])
            for _ in 0..<5 { #expect(stage.message().isDone) }
            #expect(stage.host.sent.count == 100)
            // Rarely, an incremental cycle ends between two of them.
            #expect(stage.host.sent.count { $0 == "full" } <= most + 5)
            #expect(stage.engine.collections <= most)
        }
    }

    @Test("a text of more than 16 MiB is refused with any memory limit")
    func longest() throws {
        var options = ScriptOptions(memoryLimit: 0)
        options.largestBlock = 0
        options.budget = 0
        let stage = try Stage(options: options)
        let error = try stage.failure(
            "local s, t = ('x'):rep(1 << 20), {} for i = 1, 17 do t[i] = s end json.encode(t)")
        #expect(error.message == "JSON: the text would be longer than 16777216 bytes")
        let cyclic = try stage.failure("local t = {} for i = 1, 63 do t = {t, t} end json.encode(t)")
        #expect(cyclic.message == "JSON: the text would be longer than 16777216 bytes")
        #expect(stage.engine.memoryInUse < 20 << 20)
    }

    @Test("encoding a table that holds itself many times is killed")
    func manyPaths() throws {
        var options = ScriptOptions()
        options.budget = 0.02
        let stage = try Stage(options: options)
        let error = try stage.failure("local t = {} for i = 1, 63 do t = {t, t} end json.encode(t)")
        #expect(error.kill == .budget || error.message.contains("longer than 16777216"))
        #expect(try stage.run("show('alive')") == ["alive"])
    }
}

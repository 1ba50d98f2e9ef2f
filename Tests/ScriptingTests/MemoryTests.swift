import Testing

@testable import Scripting

@Suite("memory", .bounded)
struct MemoryTests {
    @Test("an event that reaches the limit fails with its line, the next one works")
    func limit() throws {
        let stage = try Stage(options: ScriptOptions(memoryLimit: 2 << 20))
        try stage.load([
            "main":
                """
            function onMessage(conn, m)
              local t = {}
              while m == 'bomb' do
                t[#t + 1] = ('x'):rep(1000) .. #t
              end
              conn:send('ok')
            end
            """
        ])
        for _ in 0..<20 {
            let error = try #require(stage.message("bomb").error)
            #expect(error.summary == "main.lua:4: not enough memory", "\(error)")
            #expect(stage.message("fine").isDone)
        }
        #expect(stage.host.sent.count == 20)
        #expect(stage.engine.memoryInUse <= 2 << 20)
    }

    @Test(
        "bombs of every kind fail alone",
        arguments: [
            "local s = 'x' while true do s = s .. s end", "('x'):rep(1 << 40)", "string.pack('c2000000000', '')",
            "local t = {} while true do t = {t} conn.data = t end",
            "local t = {} while true do t[#t + 1] = coroutine.create(print) end",
            "local t = {} for i = 1, 1e6 do t[i] = 'abc' end json.encode(t)",
            "conn:send(('x'):rep(1e6)) conn:send(('x'):rep(3e6))",
            "assert(json.decode('[' .. ('[],'):rep(3e5) .. '[]]'))",
            "for i = 1, 1000 do pcall(string.rep, 'x', 1e9) end local t = {} while true do t[#t+1] = {} end",
        ])
    func bombs(body: String) throws {
        let stage = try Stage(options: ScriptOptions(memoryLimit: 2 << 20))
        #expect(try stage.failure(body).message.isEmpty == false)
        stage.engine.forget(stage.first)
        stage.engine.collect()
        #expect(try stage.run("show('alive')") == ["alive"])
        #expect(stage.engine.memoryInUse < 1 << 20)
    }

    @Test(
        "10,000 calls that raise in a host function leave nothing behind",
        arguments: [
            "conn:send(nil)", "conn:send{print}", "conn:send('\\xFF')", "server.publish('a', {[true] = 1})",
            "kv.set('k', {})",
            "json.encode{('x'):rep(5000), print}", "log.info('x', {5})", "conn:close(7)", "server.after(1, 5)",
            "server.every('e', 1, function() return conn end)",
        ])
    func raising(call: String) throws {
        let stage = try Stage("function onMessage(conn) \(call) end")
        for _ in 0..<500 { stage.message() }
        let timers = stage.engine.link.timers.count
        stage.engine.collect()
        let before = stage.engine.memoryInUse
        for _ in 0..<10_000 { stage.message() }
        stage.engine.collect()
        #expect(stage.engine.memoryInUse - before <= 1_024)
        #expect(stage.engine.link.timers.count == timers)
    }

    @Test("an allocation that fails in an event fails only that event")
    func everyAllocation() throws {
        let stage = try Stage(Self.busyScript)
        var clean = 0
        for refused in 0..<400 {
            let connection = ConnectionHandle(slot: UInt32(refused % 7), generation: UInt32(refused))
            var outcomes: [EventOutcome] = []
            for event in 0..<3 {
                stage.engine.refuseAllocations(after: refused)
                outcomes.append(Self.run(event, on: stage, connection))
                stage.engine.refuseAllocations(after: -1)
            }
            stage.engine.forget(connection)
            clean += outcomes.allSatisfy(\.isDone) ? 1 : 0
            for case .failed(let error) in outcomes { #expect(error.message.contains("not enough memory")) }
            #expect((0..<3).allSatisfy { Self.run($0, on: stage, stage.first).isDone })
        }
        #expect(clean > 0 && clean < 400)
        stage.engine.collect()
        #expect(stage.engine.memoryInUse < 1 << 20)
    }

    @Test("a long text can be made after the memory for one was refused")
    func firstBuffer() throws {
        for refused in 0..<40 {
            let stage = try Stage("function onMessage(conn) conn:send(#('x'):rep(5000):upper() .. '') end")
            stage.engine.refuseAllocations(after: refused)
            stage.message()
            stage.engine.refuseAllocations(after: -1)
            stage.host.calls = []
            #expect(stage.message().isDone)
            #expect(stage.host.sent == ["5000"])
        }
    }

    @Test("an allocation that fails in an upgrade or a timer fails only that")
    func upgradeAndTimer() throws {
        let stage = try Stage(Self.busyScript)
        let request = UpgradeRequest(
            path: "/", ip: "::1", query: [("a", "b")], headers: [("cookie", Array("k=v".utf8))], subprotocols: ["s"])
        for refused in 0..<200 {
            stage.engine.refuseAllocations(after: refused)
            let outcome = stage.engine.onUpgrade(stage.main, stage.first, request: request)
            stage.engine.refuseAllocations(after: -1)
            if case .refuse = outcome { throw Unexpected() }
            stage.message()
            let timer = try #require(
                stage.host.calls.compactMap { if case .setTimer(let id, _, _, _) = $0 { id } else { nil } }.last)
            stage.engine.refuseAllocations(after: refused)
            _ = stage.engine.fireTimer(timer)
            stage.engine.refuseAllocations(after: -1)
            stage.host.calls = []
        }
        #expect(stage.message().isDone)
        #expect(stage.engine.link.timers.count <= 1)
    }

    @Test("an allocation that fails in a reload leaves the old code running")
    func reload() throws {
        let stage = try Stage("function onMessage(conn) conn:send('old') end")
        let bundle = try ScriptBundle(
            version: 2, scripts: ["main": Self.busyScript, "b": "return {}"], modules: ["m": "return {1}"])
        var succeeded = false
        for refused in stride(from: 0, to: 2_000, by: 3) where !succeeded {
            stage.engine.refuseAllocations(after: refused)
            let result = stage.engine.prepare(bundle)
            stage.engine.refuseAllocations(after: -1)
            succeeded = result.errors.isEmpty
            stage.host.calls = []
            stage.message()
            #expect(stage.host.sent == ["old"])
        }
        #expect(succeeded)
        stage.engine.commit()
        stage.engine.collect()
        #expect(stage.engine.generationsAlive == 1)
    }

    @Test("an engine whose limit has no room for a state says so")
    func tooSmall() {
        var refused = 0
        for limit in stride(from: 1, to: 1 << 20, by: 997) {
            do throws(ScriptError) {
                _ = try ScriptEngine(host: RecordingHost(), options: ScriptOptions(memoryLimit: limit))
                break
            } catch {
                let isSaid = ["not enough memory", "too large for the memory"].contains { error.message.contains($0) }
                #expect(isSaid)
                refused += 1
            }
        }
        #expect(refused > 10 && refused < 100)
    }

    @Test("an event that fails by itself costs no full collection")
    func cheapFailures() throws {
        let stage = try Stage(options: ScriptOptions(memoryLimit: 8 << 20))
        try stage.load([
            "main": """
            local kept = {}
            for i = 1, 5000 do kept[i] = ("x"):rep(1000) .. i end
            function onMessage(conn, m)
              assert(#kept == 5000)
              if m == "code" then error{code = 4001} elseif m == "text" then error("no") elseif m == "caught" then
                pcall(error, "x") error{code = 4002}
              end
              local t = {} while true do t[#t + 1] = ("y"):rep(1000) .. #t end
            end
            """
        ])
        #expect(stage.engine.memoryInUse > 5 << 20)
        for _ in 0..<300 {
            for message in ["code", "text", "caught"] { #expect(!stage.message(message).isDone) }
        }
        #expect(stage.engine.collections == 0)
        // At most one collection when the bomb finds no memory, and one for its garbage, which Lua may have freed
        // itself.
        for _ in 1...5 {
            let before = stage.engine.collections
            #expect(stage.message("bomb").error?.message == "not enough memory")
            #expect(stage.engine.collections - before <= 2)
            #expect(stage.engine.memoryInUse < 7 << 20)
        }
    }

    @Test("killed events that leave nothing cost at most one full collection")
    func killsWithoutGarbage() throws {
        let stage = try Stage(options: ScriptOptions(memoryLimit: 8 << 20))
        try stage.load([
            "main": "local kept = {} for i = 1, 5000 do kept[i] = ('x'):rep(1000) .. i end "
                + "function onMessage() while kept do end end"
        ])
        #expect(stage.engine.memoryInUse > 5 << 20)
        stage.engine.collect()
        stage.engine.killAfter(instructions: 500)
        for _ in 0..<100 { #expect(stage.message().error?.kill == .budget) }
        #expect(stage.engine.collections <= 1)
    }

    @Test("connections that come and go leave nothing behind")
    func connections() throws {
        let stage = try Stage(Self.busyScript)
        var before = 0
        for round in 0..<40 {
            for slot in 0..<250 {
                let connection = ConnectionHandle(slot: UInt32(slot), generation: UInt32(round))
                for event in 0..<3 { #expect(Self.run(event, on: stage, connection).isDone) }
                stage.engine.forget(connection)
            }
            stage.engine.collect()
            if round == 9 { before = stage.engine.memoryInUse }
        }
        #expect(stage.engine.memoryInUse - before <= 1_024)
    }

    private static let busyScript = """
        function onUpgrade(request) return {subprotocol = request.subprotocols[1], query = request.query} end
        function onOpen(conn)
            conn.data.name = conn.id .. conn.ip
            conn:subscribe("room-" .. conn.path)
            for _, pair in ipairs(conn.query) do conn.data[pair.name] = pair.value end
            conn.data.headers = conn.headers
        end
        function onMessage(conn, message, binary)
            local t = json.decode('{"a":[1,2,{"b":"\\\\u00e4"}]}')
            t.more = message .. message
            conn:send(t)
            conn:send(message .. "x", binary)
            server.publish("room", {text = message, list = conn:channels()}, {except = conn})
            kv.set("k", message) kv.get("k") kv.incr("n")
            log.info("got " .. message, {size = #message, t = t})
            server.cancel(conn.data.timer or 0)
            conn.data.timer = server.after(1, function() conn:send("later " .. message) end)
            local ok = pcall(error, {message = message})
            conn.data.co = coroutine.wrap(function() coroutine.yield(("y"):rep(200)) end)
            conn.data.co()
        end
        function onClose(conn, code, reason)
            server.cancel(conn.data.timer or 0)
            server.broadcast("gone " .. code .. reason .. tostring(conn.data.name))
        end
        """

    private static func run(_ event: Int, on stage: Stage, _ connection: ConnectionHandle) -> EventOutcome {
        switch event {
        case 0: stage.open(connection)
        case 1: stage.message(String(repeating: "m", count: 64), on: connection)
        default: stage.close(1001, "going away for now, thank you", on: connection)
        }
    }
}

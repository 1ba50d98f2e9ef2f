import Testing

@testable import Scripting

/// Handlers that wait: resuming and ending them.
@Suite("waiting", .bounded)
struct WaitTests {
    private func ticket(_ stage: Stage) throws -> WaitTicket {
        let tickets = stage.host.calls.compactMap { call -> WaitTicket? in
            if case .sleep(let ticket, _) = call { ticket } else { nil }
        }
        return try #require(tickets.last, "nothing waits")
    }

    private func stage(_ body: String, options: ScriptOptions = ScriptOptions()) throws -> Stage {
        let stage = try Stage(options: options)
        try stage.load(["main": Stage.script(body)])
        return stage
    }

    private func outcome(_ resumption: Resumption?) throws -> EventOutcome {
        guard case .event(_, let outcome) = try #require(resumption) else { throw Unexpected() }
        return outcome
    }

    private struct Unexpected: Error {}

    @Test("a handler that sleeps goes on with its locals and its connection")
    func sleeps() throws {
        let stage = try stage("local n = message .. '!' show('before', server.sleep(1.5)) show(n, conn.isOpen)")
        #expect(stage.message("a").isWaiting)
        #expect(stage.engine.waitingCount == 1)
        #expect(stage.host.sent == [])
        #expect(stage.host.calls.contains { if case .sleep(_, 1.5) = $0 { true } else { false } })
        #expect(try outcome(stage.engine.resume(ticket(stage), with: .done)).isDone)
        #expect(stage.host.sent == ["before true", "a! true"])
        #expect(stage.engine.waitingCount == 0)
    }

    @Test("a wait that fails answers nil and the reason")
    func fails() throws {
        let stage = try stage("show(server.sleep(1))")
        stage.message()
        _ = try stage.engine.resume(ticket(stage), with: .failed("nobody there"))
        #expect(stage.host.sent == ["nil nobody there"])
    }

    @Test("a ticket whose wait is over resumes nothing")
    func stale() throws {
        let stage = try stage("server.sleep(1) server.sleep(2) show('end')")
        stage.message()
        let first = try ticket(stage)
        #expect(try outcome(stage.engine.resume(first, with: .done)).isWaiting)
        #expect(stage.engine.resume(first, with: .done).isNothing)
        let second = try ticket(stage)
        #expect(second != first)
        #expect(try outcome(stage.engine.resume(second, with: .done)).isDone)
        #expect(stage.engine.resume(second, with: .done).isNothing)
        #expect(stage.host.sent == ["end"])
    }

    /// Each keeps its own values.
    @Test("other events run while one waits")
    func interleave() throws {
        let stage = try stage("local mine = message server.sleep(1) show(mine)")
        var tickets: [WaitTicket] = []
        for name in ["a", "b", "c"] {
            stage.message(name)
            tickets.append(try ticket(stage))
        }
        for index in [1, 2, 0] { _ = stage.engine.resume(tickets[index], with: .done) }
        #expect(stage.host.sent == ["b", "c", "a"])
    }

    @Test("a handler may wait within pcall and in nested coroutines")
    func nested() throws {
        let stage = try stage(
            """
            show(pcall(function() server.sleep(1) error('x', 0) end))
            local co = coroutine.create(function(a)
              local b = coroutine.yield(a + 1)
              for v in coroutine.wrap(function() server.sleep(2) coroutine.yield('inner') server.sleep(3) end) do show(v) end
              return b * 2
            end)
            show(coroutine.resume(co, 1))
            show(coroutine.resume(co, 21))
            show(coroutine.status(co))
            """)
        #expect(stage.message().isWaiting)
        var waits = 1
        while try outcome(stage.engine.resume(ticket(stage), with: .done)).isWaiting { waits += 1 }
        #expect(waits == 3)
        #expect(stage.host.sent == ["false x", "true 2", "inner", "true 42", "dead"])
    }

    @Test(
        "a wait where nothing can wait is an error with the reason",
        arguments: [
            "table.sort({2, 1}, function() server.sleep(1) end)",
            "string.gsub('a', 'a', function() server.sleep(1) end)",
            "table.sort({2, 1}, function() coroutine.wrap(function() server.sleep(1) end)() end)",
        ])
    func cannotWait(_ body: String) throws {
        let stage = try Stage()
        let error = try stage.failure(body)
        #expect(error.message.contains("server.sleep: cannot wait here"))
        #expect(stage.engine.waitingCount == 0)
    }

    @Test("only the server resumes a coroutine that waits for it")
    func foreignResume() throws {
        let stage = try Stage(
            """
            local co
            function onOpen(conn) co = coroutine.create(function() server.sleep(1) end) coroutine.resume(co) conn:send('after') end
            function onMessage(conn) conn:send(tostring(select(2, coroutine.resume(co)))) end
            """)
        #expect(stage.open().isWaiting)
        let waiting = try ticket(stage)
        stage.message()
        #expect(stage.host.sent.first?.contains("this coroutine waits for the server") == true)
        #expect(try outcome(stage.engine.resume(waiting, with: .done)).isDone)
        #expect(stage.host.sent.last == "after")
    }

    /// Its next wait kills it.
    @Test("a handler whose time is up gets nil, \"timeout\"")
    func timesOut() throws {
        let stage = try stage("show(server.sleep(1)) show(pcall(server.sleep, 1)) show('never')")
        stage.message()
        let task = try ticket(stage).task
        let outcome = try outcome(stage.engine.timeOut(task))
        #expect(outcome.error?.kill == .timeout)
        #expect(stage.host.sent == ["nil timeout"])
        #expect(stage.engine.timeOut(task).isNothing)
        #expect(try stage.run("show('alive')") == ["alive"])
    }

    @Test("a handler whose time is up may still come to its end")
    func timesOutGracefully() throws {
        let stage = try stage("local _, why = server.sleep(1) show(why)")
        stage.message()
        #expect(try outcome(stage.engine.timeOut(ticket(stage).task)).isDone)
        #expect(stage.host.sent == ["timeout"])
    }

    /// The next one cancels.
    @Test("a close ends a wait with nil, \"closed\"")
    func closes() throws {
        let stage = try stage("show(server.sleep(1)) server.sleep(1) show('never')")
        stage.message()
        let outcome = try outcome(stage.engine.cancel(ticket(stage).task))
        #expect(outcome.error?.kill == .closed)
        #expect(stage.host.sent == ["nil closed"])
    }

    @Test("a closed connection's first wait gives nil, \"closed\", a second cancels")
    func closedAlready() throws {
        let stage = try stage("show(server.sleep(1)) server.sleep(1) show('never')")
        stage.engine.withClosedConnection { #expect(stage.message().error?.kill == .closed) }
        #expect(stage.host.sent == ["nil closed"])
        #expect(stage.engine.waitingCount == 0)
        #expect(stage.message().isWaiting)
    }

    @Test("a killed handler that had waited frees its place and its variables")
    func killedAfterWait() throws {
        var options = ScriptOptions()
        options.budget = 0.02
        let stage = try stage(
            """
            local x <close> = setmetatable({}, {__close = function() show('closed') end})
            server.sleep(1) while true do end
            """, options: options)
        for _ in 0..<3 {
            stage.message()
            #expect(try outcome(stage.engine.resume(ticket(stage), with: .done)).error?.kill == .budget)
        }
        #expect(stage.engine.waitingCount == 0)
    }

    /// New events run the new code.
    @Test("a waiting handler ends in its old code")
    func reload() throws {
        let stage = try stage("server.sleep(1) show('old', server.version)")
        stage.message()
        let old = try ticket(stage)
        try stage.load(["main": Stage.script("show('new', server.version)")], version: 2)
        stage.message()
        _ = stage.engine.resume(old, with: .done)
        #expect(stage.host.sent == ["new 2", "old 2"])
        stage.engine.collect()
        #expect(stage.engine.generationsAlive == 1)
    }

    @Test("an error after a wait names its version, file and line")
    func errorAfterReload() throws {
        let stage = try stage("server.sleep(1)\nerror('late')")
        stage.message()
        let old = try ticket(stage)
        try stage.load(["main": "function onMessage() end"], version: 2)
        let error = try #require(try outcome(stage.engine.resume(old, with: .done)).error)
        #expect(error.version == 1)
        #expect(error.line == 3)
        #expect(error.sourceLine == "error('late')")
    }

    /// Free places are used again.
    @Test("one waiting handler too many is an error")
    func limit() throws {
        var options = ScriptOptions()
        options.waitLimit = 3
        let stage = try stage("server.sleep(1)", options: options)
        for _ in 0..<3 { #expect(stage.message().isWaiting) }
        #expect(stage.message().error?.message == "server.sleep: 3 handlers wait already")
        _ = try stage.engine.resume(ticket(stage), with: .done)
        #expect(stage.message().isWaiting)
    }

    @Test("10,000 handlers wait at once, and each goes on")
    func many() throws {
        let stage = try stage("local mine = message server.sleep(1) show(mine)", options: ScriptOptions(memoryLimit: 0))
        for number in 0..<10_000 { stage.message("\(number)") }
        #expect(stage.engine.waitingCount == 10_000)
        let tickets = stage.host.calls.compactMap { call -> WaitTicket? in
            if case .sleep(let ticket, _) = call { ticket } else { nil }
        }
        stage.host.calls = []
        for ticket in tickets.reversed() { _ = stage.engine.resume(ticket, with: .done) }
        #expect(stage.host.sent == (0..<10_000).reversed().map(String.init))
        #expect(stage.engine.waitingCount == 0)
    }

    @Test("a spawned function runs on its own with its arguments and may wait")
    func spawn() throws {
        let stage = try stage("server.spawn(function(a, b) server.sleep(1) show(a, b) end, message, nil) show('first')")
        stage.message("x")
        #expect(stage.host.calls.contains(.spawned))
        let outcomes = stage.engine.runSpawned()
        #expect(outcomes.count == 1 && outcomes[0].isWaiting)
        #expect(try outcome(stage.engine.resume(ticket(stage), with: .done)).isDone)
        #expect(stage.host.sent == ["first", "x nil"])
        #expect(stage.engine.runSpawned().isEmpty)
    }

    @Test("onUpgrade may wait before it decides")
    func upgrade() throws {
        let stage = try Stage("function onUpgrade(r) server.sleep(1) return {subprotocol = r.subprotocols[2]} end")
        let request = UpgradeRequest(path: "/", ip: "::1", subprotocols: ["a", "b"])
        guard case .waiting = stage.engine.onUpgrade(stage.main, stage.first, request: request) else {
            throw Unexpected()
        }
        guard case .upgrade(_, .accept(let chosen))? = try stage.engine.resume(ticket(stage), with: .done) else {
            throw Unexpected()
        }
        #expect(chosen == "b")
    }

    @Test("while a script loads nothing waits")
    func loading() throws {
        let stage = try Stage()
        #expect(
            try stage.prepare(["main": "server.sleep(1)"]).errors.first?.message.contains("while a script loads")
                == true)
    }
}

extension Resumption? {
    var isNothing: Bool { if case .none = self { true } else { false } }
}

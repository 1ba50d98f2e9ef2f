import Testing

@testable import Scripting

@Suite("timers", .bounded)
struct TimerTests {
    let stage: Stage

    init() throws {
        stage = try Stage()
    }

    private static let ticking = "local n = 0 server.every('tick', 5, function() n = n + 1 server.broadcast(n) end)"

    @Test("after runs its function once")
    func after() throws {
        #expect(try stage.run("show(server.after(1.5, function() server.broadcast('ding') end))") == ["1"])
        #expect(stage.host.calls.first == .setTimer(1, 1.5, every: nil, name: nil))
        #expect(stage.engine.fireTimer(1).isDone)
        #expect(stage.engine.fireTimer(1).isDone)
        #expect(stage.host.calls.filter { $0 == .broadcast("ding", binary: false) }.count == 1)
    }

    @Test("a declared timer starts at the commit and repeats")
    func every() throws {
        try stage.prepare(["main": Self.ticking]).get()
        #expect(stage.host.calls.isEmpty)
        stage.engine.commit()
        #expect(stage.host.calls == [.setTimer(1, 5, every: 5, name: "tick")])
        _ = stage.engine.fireTimer(1)
        _ = stage.engine.fireTimer(1)
        #expect(stage.host.calls.suffix(2) == [.broadcast("1", binary: false), .broadcast("2", binary: false)])
    }

    @Test("a reload keeps a named timer's number and phase and runs the new code")
    func reload() throws {
        try stage.load(["main": Self.ticking])
        stage.host.calls = []
        try stage.load(["main": "server.every('tick', 5, function() server.broadcast('new') end)"], version: 2)
        #expect(stage.host.calls.isEmpty)
        _ = stage.engine.fireTimer(1)
        #expect(stage.host.calls == [.broadcast("new", binary: false)])
    }

    @Test("a reload with another period arms the timer again")
    func newPeriod() throws {
        try stage.load(["main": Self.ticking])
        try stage.load(["main": "server.every('tick', 6, print)"], version: 2)
        #expect(stage.host.calls.last == .setTimer(1, 6, every: 6, name: "tick"))
    }

    @Test("a reload cancels timers that the new code does not declare")
    func cancelled() throws {
        try stage.load(["main": Self.ticking + " server.every('taken', 3, print)"])
        stage.host.calls = []
        try stage.load(["main": "function onReload() server.every('taken', 3, print) end"], version: 2)
        #expect(stage.host.calls == [.cancelTimer(1)])
        #expect(stage.engine.fireTimer(1).isDone)
        #expect(stage.engine.link.timers.count == 1)
    }

    @Test("timers of handlers go on across reloads in the old code")
    func startedByHandlers() throws {
        let old = """
            function onStart()
                server.every('started', 5, function() server.broadcast('every') end)
                server.after(9, function() server.broadcast('after') end)
            end
            """
        try stage.load(["main": old])
        stage.host.calls = []
        let new = "function onMessage(conn) conn:send(tostring(server.cancel('started'))) end"
        for version in 2...4 { try stage.load(["main": new], version: UInt64(version)) }
        #expect(stage.host.calls.isEmpty)
        for timer in [1, 2, 1, 2] as [Int32] { #expect(stage.engine.fireTimer(timer).isDone) }
        #expect(stage.host.calls == ["every", "after", "every"].map { .broadcast($0, binary: false) })
        stage.message()
        #expect(stage.host.calls.suffix(2) == [.cancelTimer(1), .send(1, "true", binary: false)])
        stage.engine.collect()
        #expect(stage.engine.generationsAlive == 1)
    }

    @Test("new code takes over a handler's timer by name, with its phase")
    func takenOver() throws {
        try stage.load(["main": "function onStart() server.every('tick', 5, print) end"])
        stage.host.calls = []
        try stage.load(["main": Self.ticking], version: 2)
        _ = stage.engine.fireTimer(1)
        #expect(stage.host.calls == [.broadcast("1", binary: false)])
        try stage.load(["main": ""], version: 3)
        #expect(stage.host.calls.last == .cancelTimer(1))
        #expect(stage.engine.link.timers.count == 0)
    }

    @Test("a bundle that fails to load leaves the timers as they were")
    func failedReload() throws {
        try stage.load(["main": Self.ticking])
        stage.host.calls = []
        #expect(
            try !stage.prepare(["main": "server.every('tick', 6, print) server.every('b', 1, print) error('x')"]).errors
                .isEmpty)
        #expect(stage.host.calls.isEmpty)
        _ = stage.engine.fireTimer(1)
        #expect(stage.host.calls == [.broadcast("1", binary: false)])
        try stage.load(["main": "server.every('b', 2, print)"], version: 3)
        #expect(stage.host.calls.suffix(2) == [.setTimer(2, 2, every: 2, name: "b"), .cancelTimer(1)])
    }

    @Test("two names that Unicode calls equivalent are two timers")
    func equivalentNames() throws {
        let names = ["\u{E9}", "e\u{301}"]
        try stage.load(["main": names.map { "server.every('\($0)', 5, print)" }.joined(separator: " ")])
        #expect(stage.engine.link.timers.count == 2)
        #expect(
            try stage.run("show(server.every('\(names[0])', 6, print), server.every('\(names[1])', 6, print))") == [
                "3 4"
            ])
        #expect(try stage.run("show(server.cancel('\(names[1])'), server.cancel('\(names[1])'))") == ["true false"])
        #expect(stage.engine.link.timers.number(named: names[0]) == 3)
        #expect(stage.engine.link.timers.number(named: names[1]) == nil)
    }

    private func stage(limit: Int) throws -> Stage {
        var options = ScriptOptions()
        options.timerLimit = limit
        return try Stage(options: options)
    }

    private func declared(_ names: String) -> String {
        names.map { "server.every('\($0)', 5, print)" }.joined(separator: " ")
    }

    @Test("a reload that renames as many timers as there may be runs the new ones")
    func renamedAtTheLimit() throws {
        let stage = try stage(limit: 3)
        try stage.load(["main": declared("abc")])
        stage.host.calls = []
        try stage.load(
            ["main": declared("def") + " function onReload() server.cancel('d') server.after(9, print) end"], version: 2
        )
        #expect(
            stage.host.calls == [
                .setTimer(4, 5, every: 5, name: "d"), .setTimer(5, 5, every: 5, name: "e"),
                .setTimer(6, 5, every: 5, name: "f"), .cancelTimer(4), .setTimer(7, 9, every: nil, name: nil),
                .cancelTimer(1), .cancelTimer(2), .cancelTimer(3),
            ])
        #expect(stage.engine.link.timers.count == 3 && stage.engine.refusedCounts.timers == 0)
    }

    @Test("a bundle that declares too many timers is refused, the live one goes on")
    func declaredBeyondTheLimit() throws {
        let stage = try stage(limit: 3)
        try stage.load(["main": declared("ab") + " function onStart() server.every('c', 5, print) end"])
        let errors = try stage.prepare(["main": declared("def")], version: 2).errors
        #expect(errors.map(\.summary) == ["main.lua:1: server.every: too many timers"])
        #expect(stage.engine.link.timers.count == 3 && stage.engine.refusedCounts.timers == 1)
        // A timer that takes over the handler's timer needs no further place.
        try stage.load(["main": declared("dec")], version: 3)
        #expect(stage.engine.link.timers.count == 3)
    }

    @Test("handlers leave room for a candidate's timers until it is gone")
    func startedBesideACandidate() throws {
        let stage = try stage(limit: 3)
        let starting = " function onMessage(conn, m) conn:send(tostring(pcall(server.every, m, 9, print))) end"
        try stage.load(["main": declared("a") + starting])
        try stage.prepare(["main": declared("bc") + starting], version: 2).get()
        // A timer that the candidate takes over needs no further place; "a" would stay as a handler's timer, like "d".
        for name in ["b", "d", "a", "e", "d"] { stage.message(name) }
        #expect(stage.host.sent == ["true", "true", "false", "false", "true"])
        stage.engine.commit()
        #expect(stage.engine.link.timers.count == 3)
        // "d" alone goes on.
        try stage.load(["main": starting], version: 3)
        #expect(stage.engine.link.timers.count == 1)
        try stage.prepare(["main": declared("xy")], version: 4).get()
        stage.host.calls = []
        stage.message("e")
        stage.engine.discard()
        stage.message("e")
        #expect(stage.host.sent == ["false", "true"])
    }

    @Test("a name that a reload has left needs a place when onReload takes it")
    func outgoingAtTheLimit() throws {
        let stage = try stage(limit: 3)
        try stage.load(["main": declared("abc")])
        let taking = " function onReload() server.broadcast(tostring(pcall(server.every, 'a', 5, print))) end"
        try stage.load(["main": declared("def") + taking], version: 2)
        #expect(stage.host.calls.contains(.broadcast("false", binary: false)))
        #expect(stage.engine.link.timers.count == 3 && stage.engine.refusedCounts.timers == 1)
        try stage.load(["main": declared("ab") + taking.replacing("'a'", with: "'d'")], version: 3)
        #expect(stage.host.calls.contains(.broadcast("true", binary: false)))
        #expect(stage.engine.link.timers.count == 3 && stage.engine.link.timers.number(named: "d") != nil)
    }

    @Test("cancel takes a number or a name and says whether there was one")
    func cancel() throws {
        let shown = try stage.run(
            """
            local id = server.after(1, print)
            server.every('e', 1, print)
            show(server.cancel(id), server.cancel(id), server.cancel('e'), server.cancel('e'), server.cancel(1 << 40))
            """)
        #expect(shown == ["true false true false false"])
        #expect(stage.engine.link.timers.count == 0)
    }

    @Test("named timers run on worker 0 alone")
    func otherWorker() throws {
        let other = try Stage(options: ScriptOptions(workerIndex: 1))
        try other.load([
            "main": Self.ticking
                + """
                 function onMessage(conn)
                conn:send(tostring(server.every('x', 1, print))) server.after(1, print) end
                """
        ])
        other.message()
        #expect(other.host.calls == [.send(1, "true", binary: false), .setTimer(1, 1, every: nil, name: nil)])
    }

    @Test("two declarations of one name are an error with file and line")
    func twice() throws {
        let errors = try stage.prepare(["main": "server.every('a', 1, print)\nserver.every('a', 2, print)"]).errors
        #expect(errors.map(\.summary) == ["main.lua:2: server.every: there are two timers named 'a'"])
    }

    @Test(
        "mistakes are errors",
        arguments: [
            ("server.after('x', print)", "server.after: seconds must be a number, not string"),
            ("server.after(-1, print)", "server.after: seconds must be from 0 to 1e9, not -1.0"),
            ("server.after(0/0, print)", "server.after: seconds must be from 0 to 1e9, not "),
            ("server.after(1)", "server.after: expected a function, not no value"),
            ("server.every({}, 1, print)", "server.every: the name must be a string, not table"),
            (
                "server.cron('c', '* * * *', print)",
                "server.cron: '* * * *' has 4 fields and should have 5: minute hour"
            ),
            ("server.cron('c', '60 * * * *', print)", "server.cron: minute: '60' is not 0 to 59"),
            ("server.cron('c', 5)", "server.cron: expected a function, not no value"),
            ("server.cron('c', {}, print)", "server.cron: the expression must be a string, not table"),
            ("server.every('', 1, print)", "server.every: the name must have from 1 to 1024 bytes"),
            ("server.every('a', 0, print)", "server.every: seconds must be at least 0.001"),
        ])
    func mistakes(call: String, message: String) throws {
        #expect(try stage.failure(call).message.hasPrefix(message))
    }

    @Test("a timer that raises is reported and, if it repeats, goes on")
    func failing() throws {
        try stage.load(["main": "server.every('a', 1,\nfunction() error('oops') end)"])
        let error = try #require(stage.engine.fireTimer(1).error)
        #expect(error.summary == "main.lua:2: oops")
        #expect(stage.engine.fireTimer(1).error != nil)
        #expect(stage.engine.timerCount == HandlerCount(calls: 2, errors: 2))
    }

    @Test("there is a limit on timers")
    func limit() throws {
        let error = try stage.failure("for i = 1, 10001 do server.after(1, print) end")
        #expect(error.message == "server.after: too many timers")
        #expect(stage.engine.link.timers.count == 10_000)
    }

    /// Others do not.
    @Test("named timers that another process runs wait for its word")
    func held() throws {
        var options = ScriptOptions()
        options.holdsNamedTimers = true
        let stage = try Stage(options: options)
        try stage.load(["main": Self.ticking + " function onStart() server.after(1, function() end) end"])
        #expect(stage.host.calls == [.setTimer(2, 1, every: nil, name: nil)])
        stage.engine.takeOverNamedTimers(ranUntil: nil)
        #expect(stage.host.calls.last == .setTimer(1, 5, every: 5, name: "tick"))
        let count = stage.host.calls.count
        stage.engine.takeOverNamedTimers(ranUntil: nil)
        #expect(stage.host.calls.count == count)
    }

    /// Others do.
    @Test("named timers that another process has taken do not run")
    func closedGate() throws {
        var options = ScriptOptions()
        let gate = TimerGate()
        options.timerGate = gate
        let stage = try Stage(options: options)
        let source = """
            server.every("tick", 5, function() server.broadcast("named") end)
            function onStart() server.after(1, function() server.broadcast("other") end) end
            function onMessage(conn) conn:send(tostring(server.every("new", 1, function() end))) end
            """
        try stage.load(["main": source])
        #expect(stage.engine.fireTimer(1).isDone)
        #expect(stage.host.calls.last == .broadcast("named", binary: false))
        stage.host.calls = []
        gate.close()
        #expect(stage.engine.fireTimer(1).isDone)
        #expect(stage.host.calls == [])
        #expect(stage.message().isDone && stage.host.sent == ["true"])
        #expect(!stage.host.calls.contains { if case .setTimer = $0 { true } else { false } })
        #expect(stage.engine.fireTimer(2).isDone)
        #expect(stage.host.calls.contains(.broadcast("other", binary: false)))
        _ = stage.engine.handOverNamedTimers()
        #expect(stage.host.calls.contains(.cancelTimer(1)))
    }

    @Test("after a handover only unnamed timers run and start")
    func handedOver() throws {
        let once = " function onStart() server.after(1, function() server.broadcast(0) end) end"
        try stage.load(["main": Self.ticking + once])
        stage.host.calls = []
        _ = stage.engine.handOverNamedTimers()
        #expect(stage.host.calls == [.cancelTimer(1)])
        #expect(stage.engine.fireTimer(1).isDone)
        #expect(try stage.run("show(server.every('new', 1, function() end))") == ["true"])
        try stage.load(["main": Self.ticking], version: 2)
        #expect(!stage.host.calls.contains { if case .setTimer = $0 { true } else { false } })
        #expect(stage.engine.fireTimer(2).isDone)
        #expect(stage.host.calls.contains(.broadcast("0", binary: false)))
    }
}

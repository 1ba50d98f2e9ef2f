// Attacks of a script on its worker, and their outcome.

import Testing

@testable import Scripting

@Suite("attacks", .bounded)
struct AttackTests {
    private static let memory = 64 << 20

    private func stage() throws -> Stage {
        var options = ScriptOptions(memoryLimit: Self.memory)
        options.budget = 0.02
        return try Stage(options: options)
    }

    /// Whether the handlers of a script still run and its memory is available.
    private func expectWorking(_ stage: Stage, after body: String) throws {
        stage.engine.forget(stage.first)
        #expect(try stage.run("show('alive', pcall(error, 'x', 0))") == ["alive false x"], "after \(body)")
        let works = "local t = {} for i = 1, 100 do t[i] = ('x'):rep(i) end show(#table.concat(t):gsub('x+$', ''))"
        #expect(try stage.run(works) == ["0"], "after \(body)")
        stage.engine.forget(stage.first)
        for _ in 0..<20 { stage.engine.collect() }  // a stack that was large shrinks from one collection to the next
        #expect(stage.engine.memoryInUse < 2 << 20, "after \(body)")
        #expect(stage.engine.coroutines == 0)
    }

    /// The state still works.
    @Test("endless code is killed with its place", arguments: Attacks.endless)
    func endless(attack: Attack) throws {
        let stage = try stage()
        for version in 1...2 {
            try stage.load(["main": attack.script], version: UInt64(version))
            let error = try #require(stage.message().error, "\(attack) did not fail")
            #expect(error.message == "killed: it used more than its 20 ms of CPU", "\(attack)")
            #expect(error.traceback?.contains("main.lua:") == true, "\(attack)")
            #expect(!stage.host.sent.contains("caught"), "\(attack)")
        }
        try expectWorking(stage, after: attack.body)
    }

    /// The state still works.
    @Test("code without end raises or returns at once", arguments: Attacks.refused)
    func refused(attack: Attack) throws {
        let stage = try stage()
        try stage.load(["main": attack.script])
        let outcome = stage.message()
        if let expected = attack.message {
            let error = try #require(outcome.error, "\(attack) did not fail")
            #expect(error.message.contains(expected), "\(attack): \(error.message)")
            #expect(error.line != nil || error.message.hasPrefix("JSON"), "\(attack)")
        } else {
            #expect(outcome.isDone, "\(attack): \(outcome.error?.message ?? "")")
        }
        try expectWorking(stage, after: attack.body)
    }

    @Test("endless recursion raises, or ends at the first limit that it reaches", arguments: Attacks.recursion)
    func recursion(attack: Attack) throws {
        let expected = try #require(attack.message)
        for budget in [0.02, 0] {
            var options = ScriptOptions(memoryLimit: budget > 0 ? Self.memory : 0)
            options.budget = budget
            let stage = try Stage(options: options)
            try stage.load(["main": attack.script])
            let error = try #require(stage.message().error, "\(attack) did not fail")
            let limits = budget > 0 ? [expected, "killed: ", "not enough memory"] : [expected]
            #expect(limits.contains { error.message.contains($0) }, "\(attack): \(error.message)")
            try expectWorking(stage, after: attack.body)
        }
    }

    /// The state still works.
    @Test("a memory bomb gets an error of memory", arguments: Attacks.bombs)
    func bombs(attack: Attack) throws {
        var options = ScriptOptions(memoryLimit: Self.memory)
        options.budget = 0  // the machine may be slow; the memory limit ends it
        let stage = try Stage(options: options)
        try stage.load(["main": attack.script])
        let error = try #require(stage.message().error, "\(attack) did not fail")
        #expect(error.message.contains(attack.message ?? "not enough memory"), "\(attack): \(error.message)")
        #expect(stage.engine.memoryInUse <= Self.memory)
        try expectWorking(stage, after: attack.body)
    }

    @Test("a coroutine that was killed is dead when it is resumed again")
    func dead() throws {
        let stage = try stage()
        try stage.load([
            "main": """
            local function loop() while true do end end
            local wrapped, created = coroutine.wrap(loop), coroutine.create(loop)
            function onMessage(conn, message)
              if message == "wrapped" then wrapped() elseif message == "created" then coroutine.resume(created) end
              conn:send(select(2, pcall(wrapped)))
              conn:send(select(2, coroutine.resume(created)))
            end
            """
        ])
        for message in ["wrapped", "created"] {
            #expect(stage.message(message).error?.message == "killed: it used more than its 20 ms of CPU")
        }
        #expect(stage.message().isDone)
        #expect(stage.host.sent == Array(repeating: "cannot resume dead coroutine", count: 2))
    }

    /// The old scripts stay.
    @Test("an endless top level of a file is killed", arguments: Attacks.endless)
    func loading(attack: Attack) throws {
        var options = ScriptOptions(memoryLimit: Self.memory, loadBudget: 0.1)
        options.budget = 0.02
        let stage = try Stage("function onMessage(conn) conn:send('old') end", options: options)
        let names = "local function show() end local conn = {send = show}"
        let script = "\(attack.top)\n\(names)\n\(attack.body)"
        let problems = try stage.prepare(["main": script], version: 2).errors
        #expect(problems.count == 1)
        #expect(problems.first?.message.contains("0.1 s to load") == true, "\(attack): \(problems)")
        #expect(stage.message().isDone)
        #expect(stage.host.sent == ["old"])
    }
}

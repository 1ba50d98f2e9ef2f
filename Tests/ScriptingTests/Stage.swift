// An engine with a recording host, with which every test of scripts begins.

import Testing

@testable import Scripting

final class Stage {
    let host = RecordingHost()
    let engine: ScriptEngine
    let first = ConnectionHandle(slot: 1, generation: 1)

    init(options: ScriptOptions = ScriptOptions()) throws {
        var options = options
        // A debug build is slow, and the machine may be slow too, so only tests that set a budget have one.
        if options.budget == ScriptOptions().budget { options.budget = 30 }
        engine = try ScriptEngine(host: host, options: options)
    }

    /// Runs these scripts as version 1.
    convenience init(
        _ main: String, modules: [String: String] = [:], options: ScriptOptions = ScriptOptions()
    ) throws {
        try self.init(options: options)
        try load(["main": main], modules: modules)
    }

    @discardableResult
    func load(_ scripts: [String: String], modules: [String: String] = [:], version: UInt64 = 1) throws -> CommitReport
    {
        try prepare(scripts, modules: modules, version: version).get()
        if engine.needsMigration { try engine.migrate().get() }
        return engine.commit()
    }

    func prepare(
        _ scripts: [String: String], modules: [String: String] = [:], version: UInt64 = 1
    ) throws -> Result<Void, ScriptErrors> {
        engine.prepare(try ScriptBundle(version: version, scripts: scripts, modules: modules))
    }

    var main: ScriptID { engine.intern("main") }

    func open(_ connection: ConnectionHandle? = nil) -> EventOutcome {
        engine.onOpen(main, connection ?? first)
    }

    @discardableResult
    func message(_ text: String = "", binary: Bool = false, on connection: ConnectionHandle? = nil) -> EventOutcome {
        Array(text.utf8).withUnsafeBytes { engine.onMessage(main, connection ?? first, $0, binary: binary) }
    }

    func close(_ code: UInt16 = 1000, _ reason: String = "", on connection: ConnectionHandle? = nil) -> EventOutcome {
        Array(reason.utf8).withUnsafeBytes { engine.onClose(main, connection ?? first, code: code, reason: $0) }
    }

    /// Reloads a script whose onMessage is `body`, runs it and returns the values of each `show(…)`, joined by spaces.
    /// The body begins in line 2.
    func run(_ body: String, message text: String = "") throws -> [String] {
        try load(["main": Self.script(body)], version: engine.version + 1)
        host.calls = []
        let outcome = message(text)
        if case .failed(let error) = outcome { throw error }
        return host.sent
    }

    /// Expects that the script answers a message with this text.
    func says(_ text: String) {
        host.calls = []
        if case .failed(let error) = message() { Issue.record("\(error)") }
        #expect(host.sent == [text])
    }

    /// Like ``run(_:message:)``, for a body that must raise: returns the error.
    func failure(_ body: String) throws -> ScriptError {
        try load(["main": Self.script(body)], version: engine.version + 1)
        return try #require(message().error, "the handler did not fail")
    }

    static func script(_ body: String) -> String {
        let show =
            "local t = table.pack(...) for i = 1, t.n do t[i] = tostring(t[i]) end conn:send(table.concat(t, ' '))"
        return "function onMessage(conn, message, binary) local function show(...) \(show) end\n\(body)\nend"
    }
}

extension EventOutcome {
    var isDone: Bool {
        if case .done = self { true } else { false }
    }

    var isWaiting: Bool {
        if case .waiting = self { true } else { false }
    }

    var error: ScriptError? {
        if case .failed(let error) = self { error } else { nil }
    }
}

extension Result where Success == Void, Failure == ScriptErrors {
    var errors: [ScriptError] {
        if case .failure(let problems) = self { problems.errors } else { [] }
    }
}

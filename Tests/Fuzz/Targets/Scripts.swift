// Lua: sources as they are loaded, within their limits of time and memory; and JSON as scripts read it from clients.

@testable import Scripting

@Sendable func checkScript(_ input: [UInt8]) {
    let source = String(decoding: input, as: UTF8.self)
    let options = ScriptOptions(memoryLimit: 4 << 20, loadBudget: 0.02)
    guard let bundle = try? ScriptBundle(version: 1, scripts: ["main": source]) else {
        return expect(false, "a bundle takes any text")
    }
    let errors = ScriptEngine.check(bundle, options: options)
    if errors.isEmpty { taken() }
    for error in errors {
        expect(!error.message.isEmpty && error.version == 1, "an error says what is wrong, and of which version")
        expect(error.file.isEmpty || error.file == "main.lua", "and in which file: \(error.file)")
        if let line = error.line, error.file == "main.lua" { expect(line > 0, "and in which line: \(line)") }
    }
}

/// An engine whose handler decodes each message and holds the result to the rules.
private final class JSONEngine {
    private let host = TakingHost()
    private let engine: ScriptEngine
    private let script: ScriptID

    init() {
        let source = """
            function onMessage(conn, message)
              local value = json.decode(message)
              if value == nil then return end
              conn:send("")
              local text = json.encode(value)
              assert(#json.encode(json.decode(text)) == #text, text)
            end
            """
        do {
            engine = try ScriptEngine(host: host, options: .ownRules)
            try engine.prepare(try ScriptBundle(version: 1, scripts: ["main": source])).get()
        } catch {
            fatalError("\(error)")
        }
        engine.commit()
        script = engine.intern("main")
    }

    func decode(_ input: [UInt8]) -> EventOutcome {
        let connection = ConnectionHandle(slot: 1, generation: 1)
        return input.withUnsafeBytes { engine.onMessage(script, connection, $0, binary: true) }
    }
}

nonisolated(unsafe) private let jsonEngine = JSONEngine()

@Sendable func checkScriptJSON(_ input: [UInt8]) {
    if case .failed(let error) = jsonEngine.decode(input) { expect(false, "JSON from outside raises: \(error)") }
}

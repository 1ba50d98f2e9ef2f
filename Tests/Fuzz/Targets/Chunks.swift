// The input of the check of scripts: chunks that Lua's compiler wrote. An input is a source or a chunk; a source is compiled,
// and its chunk must be read; then it is damaged in several places, which must not lead out of the bytes.

@testable import Scripting

private struct Compiler {
    private let host = CheckHost()
    private let engine: ScriptEngine
    let vocabulary: ScriptVocabulary

    init() {
        do {
            engine = try ScriptEngine(host: host, options: ScriptOptions(memoryLimit: 64 << 20))
        } catch {
            fatalError("\(error)")
        }
        vocabulary = engine.vocabulary
    }

    func compile(_ source: String) -> [UInt8]? {
        guard let bundle = try? ScriptBundle(version: 1, scripts: ["main": source]) else { return nil }
        return bundle.scripts.first.flatMap { engine.compiled($0) }
    }
}

nonisolated(unsafe) private let compiler = Compiler()

@Sendable func checkChunk(_ input: [UInt8]) {
    guard input.first != 0x1B else {
        lint(input)
        return
    }
    guard var chunk = compiler.compile(String(decoding: input, as: UTF8.self)) else { return }
    guard lint(chunk) else { return expect(false, "the compiler's chunk is read") }
    var generator = generator(for: input)
    for _ in 0..<16 {
        chunk[Int.random(in: 33..<chunk.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        lint(chunk)
    }
    lint(Array(chunk.prefix(Int.random(in: 0...chunk.count, using: &generator))))
}

/// Whether the bytes are a chunk.
@discardableResult
private func lint(_ chunk: [UInt8]) -> Bool {
    guard let main = LuaChunk.mainFunction(of: chunk) else { return false }
    taken()
    for isScript in [true, false] {
        for finding in ScriptLint.findings(in: main, vocabulary: compiler.vocabulary, isScript: isScript) {
            expect(!finding.message.isEmpty, "a finding says what is wrong")
        }
    }
    return true
}

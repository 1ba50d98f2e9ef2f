// The check of a bundle: what is wrong without running it, and what goes wrong when its top level runs.

import LuaBridge

extension ScriptEngine {
    /// Names that do not exist, in every file that compiles.
    func lint(_ bundle: ScriptBundle) -> [ScriptError] {
        let vocabulary = vocabulary
        return bundle.modules.flatMap { lint($0, isScript: false, vocabulary, bundle.version) }
            + bundle.scripts.flatMap { lint($0, isScript: true, vocabulary, bundle.version) }
    }

    private func lint(
        _ file: ScriptFile, isScript: Bool, _ vocabulary: ScriptVocabulary, _ version: UInt64
    ) -> [ScriptError] {
        guard let bytes = compiled(file), let main = LuaChunk.mainFunction(of: bytes) else { return [] }
        return ScriptLint.findings(in: main, vocabulary: vocabulary, isScript: isScript).map {
            ScriptError(
                file: file.path, line: $0.line, message: $0.message, sourceLine: $0.line.flatMap(file.line),
                version: version)
        }
    }

    /// What is wrong with test files without running them. `testKit` is the Lua source of their table `t`.
    package static func check(
        tests: [ScriptFile], testKit: [UInt8], options: ScriptOptions
    ) throws(ScriptError) -> [ScriptError] {
        let host = SilentHost()
        defer { withExtendedLifetime(host) {} }
        let engine = try ScriptEngine(host: host, options: options)
        try engine.installTestKit(testKit)
        let vocabulary = engine.vocabulary
        return tests.flatMap { file -> [ScriptError] in
            let name = String(file.path.dropLast(4))
            guard engine.compiled(file) == nil, let bundle = try? ScriptBundle(version: 0, scripts: [name: file.source])
            else { return engine.lint(file, isScript: false, vocabulary, 0) }
            return [engine.error(in: bundle, file: file.path)]
        }
    }

    /// What the compiler makes of a file; `nil` when it does not compile.
    func compiled(_ file: ScriptFile) -> [UInt8]? {
        file.withSource(script: -1) { source in
            var compiled = BridgeBytes(bytes: nil, count: 0)
            return bridgeDump(bridge, source, &compiled) ? Array(compiled.buffer) : nil
        }
    }

    /// What was found and what went wrong, each mistake once, in the order of files and lines.
    static func merge(_ findings: [ScriptError], _ failures: [ScriptError], of bundle: ScriptBundle) -> [ScriptError] {
        let newFailures = failures.filter { failure in
            !findings.contains {
                $0.file == failure.file
                    && (failure.line == nil ? $0.message == failure.message : $0.line == failure.line)
            }
        }
        let order = (bundle.modules + bundle.scripts).map(\.path)
        func precedes(_ first: ScriptError, _ second: ScriptError) -> Bool {
            let files = (order.firstIndex(of: first.file) ?? -1, order.firstIndex(of: second.file) ?? -1)
            return files.0 == files.1 ? (first.line ?? 0) < (second.line ?? 0) : files.0 < files.1
        }
        return (findings + newFailures).sorted(by: precedes)
    }
}

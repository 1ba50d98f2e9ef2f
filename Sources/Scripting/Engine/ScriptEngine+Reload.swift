// Check, prepare, commit. A bundle is prepared beside the live one, and has no visible effect until it is committed. A
// check looks for mistakes without running anything, and then runs the top level of the bundle in a separate state.
//
// Read next: LuaBridge/Reload/generation.c, ../Host/TimerTable.swift, Lint/ScriptLint.swift.

import LuaBridge

extension ScriptEngine {
    /// Compiles a bundle and runs the top level of its scripts, applying nothing.
    ///
    /// On success the bundle waits for ``commit()`` or ``discard()``. On failure it is dropped, the live bundle is
    /// unchanged, and all errors are reported.
    public func prepare(_ bundle: ScriptBundle) -> Result<Void, ScriptErrors> {
        discard()
        activity.begin(.loading)
        let scripts = bundle.scripts.map { ($0, intern($0.name)) }
        link.isPreparing = true
        defer { link.isPreparing = false }
        guard bridgeBegin(bridge, bundle.version, Int32(names.count)) else {
            return .failure(ScriptErrors([error(in: bundle, file: nil)]))
        }
        candidate = bundle
        let modules = bundle.modules.map { ($0, ScriptID(index: -1)) }
        var errors = (modules + scripts).compactMap { compile($0, as: $1, in: bundle) }
        if errors.isEmpty {
            errors = scripts.compactMap { run($0, as: $1, in: bundle) }
        }
        if errors.isEmpty, !bridgeSeal(bridge) {
            errors = [error(in: bundle, file: nil)]
        }
        if errors.isEmpty { return .success(()) }
        discard()
        return .failure(ScriptErrors(errors))
    }

    /// Whether the prepared bundle declares states in a newer version than the stored one. Then ``migrate()`` must
    /// succeed before ``commit()``, and no event may run between the two.
    public var needsMigration: Bool {
        bridgeNeedsMigration(bridge)
    }

    /// Runs the prepared bundle's migrations on copies of the states. On failure the bundle is dropped and the states
    /// are unchanged.
    public func migrate() -> Result<Void, ScriptErrors> {
        guard let bundle = candidate else {
            preconditionFailure("there is no prepared bundle to migrate to")
        }
        activity.begin(.migrating)
        if bridgeMigrate(bridge) { return .success(()) }
        let problem = error(in: bundle, file: nil)
        discard()
        return .failure(ScriptErrors([problem]))
    }

    /// Makes the prepared bundle the live one and runs `onStart`, or `onReload` from the second time on. Call it
    /// between two events.
    ///
    /// Connections keep their scripts and `conn.data`. Named timers keep their number and, with the same schedule,
    /// their phase; timers that the old bundle declared and the new one does not are cancelled.
    @discardableResult
    public func commit() -> CommitReport {
        guard let bundle = candidate else {
            preconditionFailure("there is no prepared bundle to commit")
        }
        precondition(!needsMigration, "states must be migrated before the commit")
        activity.begin(.committing)
        let previous = live?.version
        bridgeCommit(bridge)
        live = bundle
        candidate = nil
        let missing = setRoutes(of: bundle)
        link.timers.commit(on: link.host).forEach { bridgeForgetTimer(bridge, $0) }
        startedLife = []
        let errors = bundle.scripts.compactMap { script in
            runLife(previous == nil ? .start : .reload, of: intern(script.name), previousVersion: previous ?? 0)
        }
        link.timers.cancelOld(on: link.host).forEach { bridgeForgetTimer(bridge, $0) }
        return CommitReport(
            version: bundle.version, previousVersion: previous, missingScripts: missing, errors: errors,
            waiting: startedLife)
    }

    /// Drops the prepared bundle, if there is one.
    public func discard() {
        candidate = nil
        bridgeDiscard(bridge)
        link.timers.discard().forEach { bridgeForgetTimer(bridge, $0) }
    }

    /// Looks for names that do not exist, and loads the bundle in a separate state whose host does nothing. Empty if
    /// there are no mistakes. Runs on any thread.
    public static func check(_ bundle: ScriptBundle, options: ScriptOptions) -> [ScriptError] {
        var options = options
        options.store = KeyValueStore(limit: 0)
        options.workerIndex = 0
        let host = CheckHost()
        return withExtendedLifetime(host) {
            do throws(ScriptError) {
                let engine = try ScriptEngine(host: host, options: options)
                let findings = engine.lint(bundle)
                switch engine.prepare(bundle) {
                case .success: return findings
                case .failure(let problems): return merge(findings, problems.errors, of: bundle)
                }
            } catch {
                return [error]
            }
        }
    }

    private func compile(_ file: ScriptFile, as id: ScriptID, in bundle: ScriptBundle) -> ScriptError? {
        let compiled = file.withSource(script: id.index) { bridgeCompile(bridge, $0) }
        return compiled ? nil : error(in: bundle, file: file.path)
    }

    private func run(_ file: ScriptFile, as id: ScriptID, in bundle: ScriptBundle) -> ScriptError? {
        bridgeRun(bridge, id.index) ? nil : error(in: bundle, file: file.path)
    }

    /// Maps every id to the script that serves it. Returns the names of the scripts that this bundle lacks.
    private func setRoutes(of bundle: ScriptBundle) -> [String] {
        let present = Set(bundle.scripts.map(\.name))
        let main = present.contains("main") ? intern("main").index : -1
        for (index, name) in names.enumerated() {
            targets[index] = present.contains(name) ? Int32(index) : main
        }
        fallback = nil
        routes = [:]
        for route in bundle.routes {
            if route.path == "*" {
                fallback = intern(route.script)
            } else {
                routes[route.path] = intern(route.script)
            }
        }
        return names.filter { !present.contains($0) }
    }
}

/// The result of ``ScriptEngine/commit()``.
public struct CommitReport: Sendable {
    /// The version that runs now.
    public let version: UInt64
    /// The version that ran before, `nil` at the first commit.
    public let previousVersion: UInt64?
    /// Scripts of earlier versions that this version lacks; their connections are served by `main`, or by no script if
    /// there is no `main`.
    public let missingScripts: [String]
    /// The errors of `onStart` and `onReload`; the new version runs in spite of them.
    public let errors: [ScriptError]
    /// `onStart` and `onReload` handlers that wait.
    public let waiting: [ScriptTask]
}

extension ScriptEngine {
    /// Uses of names that do not exist, in every file that compiles.
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

    /// The mistakes in test files that can be found without running them. `testKit` is the Lua source of their table
    /// `t`.
    package static func check(
        tests: [ScriptFile], testKit: [UInt8], options: ScriptOptions
    ) throws(ScriptError) -> [ScriptError] {
        let host = CheckHost()
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

    /// The compiled form of a file; `nil` if it does not compile.
    func compiled(_ file: ScriptFile) -> [UInt8]? {
        file.withSource(script: -1) { source in
            var compiled = BridgeBytes(bytes: nil, count: 0)
            return bridgeDump(bridge, source, &compiled) ? Array(compiled.buffer) : nil
        }
    }

    /// Merges the findings of the check with the failures of the load: each mistake once, in the order of files and
    /// lines.
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

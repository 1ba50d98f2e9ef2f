// Generations: check, prepare, commit. A bundle is run beside the live one, and until it is committed nothing that
// anybody else can see has changed.
//
// Read next: LuaBridge/Reload/generation.c, ../Host/TimerTable.swift.

import LuaBridge

extension ScriptEngine {
    /// Compiles a bundle and runs the top level of its scripts, applying nothing.
    ///
    /// On success the bundle waits for ``commit()`` or ``discard()``; on failure it is gone, the live one is whole, and
    /// all errors are reported.
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

    /// Whether the prepared bundle declares states in another version than they have. Then ``migrate()`` must succeed
    /// before ``commit()``, and no event may come between the two.
    public var needsMigration: Bool {
        bridgeNeedsMigration(bridge)
    }

    /// Runs the prepared bundle's migrations on copies of the states. On failure the bundle is gone and the states are as
    /// they were.
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
    /// Connections keep their scripts and `conn.data`. Named timers keep their number and, with the same schedule, their
    /// phase; what the old bundle declared and the new one does not is cancelled.
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

    /// Looks for names that do not exist, and tries a bundle in a state of its own, whose host does nothing. Empty when
    /// nothing is wrong. Runs on any thread.
    public static func check(_ bundle: ScriptBundle, options: ScriptOptions) -> [ScriptError] {
        var options = options
        options.store = KeyValueStore(limit: 0)
        options.workerIndex = 0
        let host = SilentHost()
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

    /// Points every id at the script that serves it. Returns the names of those that this bundle has not.
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

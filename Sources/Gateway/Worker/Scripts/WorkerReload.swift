// The worker's part in a reload: it runs the new bundle beside the live one, votes, and swaps or discards.
//
// Runs on: the worker's thread.
// Read next: Server/Reload/Reloader.swift, Scripting/Engine/ScriptEngine+Reload.swift.

package import EventLoop
import Logging
package import Scripting

/// A worker's versions of the scripts.
package final class WorkerReload {
    // The worker owns its part of a reload.
    private unowned(unsafe) let worker: Worker
    /// Scripts that an earlier version had, as the last reload reported them.
    private var missingScripts: [String] = []
    /// Times for which reloads have held up the worker: from one event to the next, other work of the machine included.
    /// Migrations of states, from which a worker stands still until all have voted, are counted apart.
    private(set) var pauses = PauseRecord()
    private(set) var migrationPauses = PauseRecord()

    init(of worker: Worker) { self.worker = worker }

    /// Makes the first bundle live; answers its errors.
    func start(_ bundle: ScriptBundle) -> [ScriptError] {
        if case .failure(let problems) = worker.engine.prepare(bundle) { return problems.errors }
        _ = commitPrepared()
        return []
    }

    /// Runs the bundle beside the live one and votes.
    package func prepare(_ bundle: ScriptBundle, round: UInt64) {
        let start = PauseRecord.Start()
        let errors = worker.engine.prepare(bundle).problems
        pauses.add(since: start)
        worker.node.reloader.post(
            .prepared(
                worker: worker.index, round: round, errors: errors, needsMigration: worker.engine.needsMigration))
    }

    /// Migrates the states, votes, and stands still until all have voted: an event in between would change a state of which
    /// the new code has the copy already.
    package func migrate(_ decision: Inbox<Bool>, round: UInt64) {
        let start = PauseRecord.Start()
        let errors = worker.engine.migrate().problems
        worker.node.reloader.post(.migrated(worker: worker.index, round: round, errors: errors))
        if errors.isEmpty {
            if decision.wait()[0] { swap(round: round) } else { worker.engine.discard() }
        }
        migrationPauses.add(since: start)
    }

    package func commit(round: UInt64) {
        let start = PauseRecord.Start()
        swap(round: round)
        pauses.add(since: start)
    }

    package func discard() {
        let start = PauseRecord.Start()
        worker.engine.discard()
        pauses.add(since: start)
    }

    /// Makes the prepared bundle the live one, between two events.
    private func swap(round: UInt64) {
        let missing = commitPrepared()
        worker.resumptions.limitSpawnedOfOldVersions()
        // One worker tells for all, and once.
        for name in missing where worker.index == 0 && !missingScripts.contains(name) {
            worker.log.warning(
                "script removed; main, if there is one, serves its connections from here on",
                metadata: ["script": "\(name)", "version": "\(worker.engine.version)"])
        }
        missingScripts = missing
        worker.node.reloader.post(.committed(worker: worker.index, round: round))
    }

    /// Swaps the versions; answers the scripts that are gone.
    private func commitPrepared() -> [String] {
        let report = worker.engine.commit()
        // All workers find the same, since they run the same bundle.
        worker.node.filtersPushes =
            worker.engine.script(named: "main").map { worker.engine.defines(.publish, $0) } ?? false
        for error in report.errors { worker.reports.note(error, on: nil) }
        for task in report.waiting { worker.waiting.add(task, on: nil, isLimited: true) }
        return report.missingScripts
    }
}

extension Result where Success == Void, Failure == ScriptErrors {
    fileprivate var problems: [ScriptError] {
        switch self {
        case .success: []
        case .failure(let problems): problems.errors
        }
    }
}

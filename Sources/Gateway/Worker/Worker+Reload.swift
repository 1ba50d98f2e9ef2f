// The worker's part in a reload.

package import EventLoop
import Logging
package import Scripting

extension Worker {
    /// Makes the first bundle live; answers what is wrong with it.
    package func start(_ bundle: ScriptBundle) -> [ScriptError] {
        if case .failure(let problems) = engine.prepare(bundle) { return problems.errors }
        let report = engine.commit()
        noteFilter()
        for error in report.errors { note(error, on: nil) }
        for task in report.waiting { beganToWait(task, on: nil) }
        return []
    }

    /// Runs the bundle beside the live one and votes.
    package func prepare(_ bundle: ScriptBundle, round: UInt64) {
        let start = PauseRecord.Start()
        let errors = engine.prepare(bundle).problems
        statistics.reloadPauses.add(since: start)
        node.reloader.post(
            .prepared(worker: index, round: round, errors: errors, needsMigration: engine.needsMigration))
    }

    /// Migrates the states, votes, and stands still until all have voted: an event in between would change a state of which
    /// the new code has the copy already.
    package func migrate(_ decision: Inbox<Bool>, round: UInt64) {
        let start = PauseRecord.Start()
        let errors = engine.migrate().problems
        node.reloader.post(.migrated(worker: index, round: round, errors: errors))
        if errors.isEmpty {
            if decision.wait()[0] { swap(round: round) } else { engine.discard() }
        }
        statistics.migrationPauses.add(since: start)
    }

    package func commit(round: UInt64) {
        let start = PauseRecord.Start()
        swap(round: round)
        statistics.reloadPauses.add(since: start)
    }

    package func discard() {
        let start = PauseRecord.Start()
        engine.discard()
        statistics.reloadPauses.add(since: start)
    }

    /// All workers find the same, since they run the same bundle.
    private func noteFilter() {
        node.filtersPushes = engine.script(named: "main").map { engine.defines(.publish, $0) } ?? false
    }

    /// Makes the prepared bundle the live one, between two events.
    private func swap(round: UInt64) {
        let report = engine.commit()
        noteFilter()
        for error in report.errors { note(error, on: nil) }
        for task in report.waiting { beganToWait(task, on: nil) }
        limitSpawnedOfOldVersions()
        // One worker tells for all, and once.
        for name in report.missingScripts where index == 0 && !missingScripts.contains(name) {
            log.warning(
                "script removed; main, if there is one, serves its connections from here on",
                metadata: ["script": "\(name)", "version": "\(engine.version)"])
        }
        missingScripts = report.missingScripts
        node.reloader.post(.committed(worker: index, round: round))
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

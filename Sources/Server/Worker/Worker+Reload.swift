// The worker's part in a reload.

import EventLoop
import Logging
import Scripting

extension Worker {
    /// Makes the first bundle live; answers what is wrong with it.
    func start(_ bundle: ScriptBundle) -> [ScriptError] {
        if case .failure(let problems) = engine.prepare(bundle) { return problems.errors }
        let report = engine.commit()
        for error in report.errors { note(error, on: nil) }
        for task in report.waiting { beganToWait(task, on: nil) }
        return []
    }

    /// Runs the bundle beside the live one and votes.
    func prepare(_ bundle: ScriptBundle) {
        switch engine.prepare(bundle) {
        case .success: node.reloader.post(.prepared(worker: index, errors: []))
        case .failure(let problems): node.reloader.post(.prepared(worker: index, errors: problems.errors))
        }
    }

    /// Makes the prepared bundle the live one, between two events.
    func commit() {
        let report = engine.commit()
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
        node.reloader.post(.committed(worker: index))
    }
}

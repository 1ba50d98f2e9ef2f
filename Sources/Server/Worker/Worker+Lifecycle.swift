// The worker's part in a reload, and its end.

import EventLoop
import Logging
import Scripting
import WebSocket

extension Worker {
    // MARK: Start and reload

    /// Makes the first bundle live; answers what is wrong with it.
    func start(_ bundle: ScriptBundle) -> [ScriptError] {
        if case .failure(let problems) = engine.prepare(bundle) { return problems.errors }
        for error in engine.commit().errors { note(error, on: nil) }
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
        // One worker tells for all, and once.
        for name in report.missingScripts where index == 0 && !missingScripts.contains(name) {
            log.warning(
                "script removed; main, if there is one, serves its connections from here on",
                metadata: ["script": "\(name)", "version": "\(engine.version)"])
        }
        missingScripts = report.missingScripts
        node.reloader.post(.committed(worker: index))
    }

    // MARK: Stop

    /// Accepts nobody more, says goodbye to everybody, and ends the loop when they are gone or the grace time is over.
    func stop() {
        guard !isStopping else { return }
        isStopping = true
        if let listener { loop.remove(listener) }
        for slot in 0..<loop.slotCount {
            guard let connection = loop.source(at: slot) as? ClientConnection else { continue }
            switch connection.phase {
            case .open: connection.close(.shuttingDown)
            case .handshake: connection.finish(within: timeouts.close)
            case .closing, .closed: break
            }
        }
        loop.schedule(after: timeouts.stop) { [unowned self] in
            log.warning("grace time is over", metadata: ["connections": "\(clientCount)"])
            finishLoop()
        }
        if openCount == 0 { allEnded() }
        leaveWhenEmpty()
    }

    /// The last connection is over for the scripts: onStop is their last event.
    func allEnded() {
        for error in engine.stop() { note(error, on: nil) }
    }

    private var clientCount: Int {
        (0..<loop.slotCount).count { loop.source(at: $0) is ClientConnection }
    }

    private func leaveWhenEmpty() {
        if clientCount == 0 { return finishLoop() }
        loop.schedule(after: 20) { [unowned self] in leaveWhenEmpty() }
    }

    private func finishLoop() {
        // Whoever is still here is cut off; its onClose runs as the socket closes.
        for slot in 0..<loop.slotCount { (loop.source(at: slot) as? ClientConnection)?.abort() }
        loop.atEndOfTurn { [loop] in loop.stop() }
    }
}

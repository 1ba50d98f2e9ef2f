// The admin thread's part in the server's life: orders that come through the API, and its own end.

import EventLoop
import HTTP1
import JSON
import Settings

extension AdminServer {
    // MARK: Orders

    /// `POST /v1/drain`: the answer says over which time; the process ends when all connections have.
    func drainServer(_ call: AdminCall) throws(AdminError) {
        var window = node.configuration.drain.window
        if let text = call.query.first("over") {
            guard let given = Duration(text, in: .zero ... .seconds(3600)) else {
                throw AdminError.parameterInvalid.saying("over is a time from 0ms to 1h, such as 30s")
            }
            window = given
        }
        guard !isDraining else { throw .stopping }
        node.lifecycle.post(.drain(over: window, cause: "admin API"))
        // What is asked after the answer shall find the server draining.
        drain(isHandover: false)
        call.answer(202, JSONOutput.object { $0.add("drainMilliseconds", window.milliseconds) })
    }

    /// `POST /v1/upgrade`: the answer waits until the new process serves.
    func upgradeServer(_ call: AdminCall) throws(AdminError) {
        guard !isDraining else { throw .stopping }
        let ticket = nextTicket()
        upgrades[ticket] = call
        node.lifecycle.post(.upgrade(ticket: ticket))
    }

    func finishUpgrade(_ ticket: UInt64, _ report: UpgradeReport) {
        guard let call = upgrades.removeValue(forKey: ticket) else { return }
        switch report {
        case .done(let pid): call.answer(200, JSONOutput.object { $0.add("pid", Int(pid)) })
        case .failed(let reason): call.fail(AdminError.upgradeFailed.saying("not upgraded: \(reason)"))
        case .running: call.fail(.upgradeRunning)
        }
    }

    // MARK: The server's own life

    /// Begins to accept requests from sockets that were passed to the process.
    func listen(on descriptors: [Int32]) {
        for descriptor in descriptors {
            add(
                Listener(adopting: descriptor, competes: false, on: loop) { [unowned self] descriptor, peer in
                    _ = AdminConnection(descriptor: descriptor, peer: peer, server: self)
                })
        }
    }

    /// The server drains: whoever waits for scripts to be reloaded waits in vain, and everybody else is still answered. In a
    /// handover, new connections are the new process's.
    func drain(isHandover: Bool) {
        isDraining = true
        for (_, call) in reloads { call.fail(.stopping) }
        reloads = [:]
        if isHandover { stopListening() }
    }

    /// Takes no more requests; those that are in are answered first, by 503 where a script does not answer in time.
    func stop() {
        isStopping = true
        drain(isHandover: true)
        leaveWhenAnswered(until: loop.now + 2 * Self.patience)
    }

    private func leaveWhenAnswered(until deadline: UInt64) {
        guard !isAwaitingAnswers || loop.now >= deadline else {
            loop.schedule(after: 10) { [unowned self] in leaveWhenAnswered(until: deadline) }
            return
        }
        endQuestions()
        for (_, call) in upgrades { call.fail(.stopping) }
        upgrades = [:]
        node.lifecycle.post(.left(.admin))
        loop.atEndOfTurn { [loop] in loop.stop() }
    }

    private func stopListening() {
        for listener in listeners { loop.remove(listener) }
        listeners = []
    }
}

// Handing over: a new process gets the listening sockets, and only when it serves does this one stop accepting and drain. The
// sockets themselves never close, so no client is refused in between.

import EventLoop
import Gateway
import Logging
import Scripting
import Settings

extension Lifecycle {
    /// Starts the program anew; after any failure this process goes on as before and says so.
    func upgrade(_ ticket: UInt64?) {
        switch state {
        case .running: break
        case .upgrading: return report(.running, to: ticket)
        case .draining, .leaving: return report(.failed("the server stops"), to: ticket)
        }
        guard let program = host.program else {
            return hasFailed("this server is not a process of its own", ticket)
        }
        tell("RELOADING=1", "MONOTONIC_USEC=\(Self.monotonicMicroseconds)", "STATUS=upgrading")
        do throws(Successor.Failure) {
            let successor = try Successor(
                program, sockets: sockets, patience: node.configuration.drain.handover.milliseconds, on: loop
            ) { [unowned self] failure in hasFinished(failure) }
            state = .upgrading(successor, ticket: ticket)
            log.notice("upgrading", metadata: ["program": "\(program.path)", "pid": "\(successor.pid)"])
        } catch {
            hasFailed(error.message, ticket)
        }
    }

    private func hasFinished(_ failure: Successor.Failure?) {
        guard case .upgrading(let successor, let ticket) = state else { return }
        if let failure {
            state = .running
            return hasFailed(failure.message, ticket)
        }
        log.notice("upgraded; the new process serves, this one drains", metadata: ["pid": "\(successor.pid)"])
        // From here on the service manager listens to the new process.
        tell("MAINPID=\(successor.pid)", "READY=1", "STATUS=serving")
        report(.done(pid: successor.pid), to: ticket)
        handOverTimers(to: successor)
        begin(window: node.configuration.drain.window, isHandover: true)
    }

    /// The new process runs the named timers as soon as they have ended here. Worker 0 has them; where its script does not end, it
    /// finds the gate closed when it goes on.
    private func handOverTimers(to successor: Successor) {
        self.successor = successor
        node.workers.tell(0) { $0.handOverTimers() }
        loop.schedule(after: Self.patience) { [unowned self] in
            guard self.successor != nil else { return }
            node.timerGate.close()
            letGo(ranUntil: nil)
        }
    }

    /// The new process need not wait for anything here any more.
    func letGo(ranUntil: Int?) {
        successor?.letGo(ranUntil: ranUntil)
        successor = nil
    }

    private func hasFailed(_ reason: String, _ ticket: UInt64?) {
        log.error("not upgraded, this process goes on: \(reason)")
        tell("READY=1", "STATUS=serving; not upgraded: \(reason)")
        report(.failed(reason), to: ticket)
    }

    func report(_ report: UpgradeReport, to ticket: UInt64?) {
        if let ticket {
            node.admin.post(.upgraded(ticket: ticket, report))
        } else if case .running = report {
            log.notice("an upgrade is under way already")
        }
    }
}

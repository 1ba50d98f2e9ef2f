// Signs of life for the service manager, sent only while the loop of every worker and of the admin thread goes round: a process
// with a stuck thread looks alive from outside, and should be started anew.

import EventLoop
import Gateway

extension Lifecycle {
    /// Asks every thread, twice in the time that the service manager has given.
    func watchOverThreads() {
        guard let watchdog = host.watchdog, host.notifier != nil else { return }
        if silent.isEmpty { sayAlive() } else { isOverdue = true }
        loop.schedule(after: max(1, watchdog / 2)) { [unowned self] in watchOverThreads() }
    }

    func isAlive(_ member: LifecycleMessage.Member) {
        silent.remove(member)
        if isOverdue && silent.isEmpty { sayAlive() }
    }

    private func sayAlive() {
        isOverdue = false
        tell("WATCHDOG=1")
        if case .leaving = state { return }
        silent = members
        node.workers.tellAll { $0.answerAlive() }
        node.admin.post(.answerAlive)
    }
}

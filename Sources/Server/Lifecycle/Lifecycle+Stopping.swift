// The end: drain, then the admin thread, then the workers. Every step has a time after which it is over all the same.

import EventLoop
import Gateway
import Logging
import Settings

extension Lifecycle {
    /// Milliseconds that a thread has for a step that should take it none.
    static let patience: UInt64 = 2_000

    /// Begins a stop; a second request for one changes nothing.
    func drain(over window: Duration?, cause: String) {
        switch state {
        case .running: break
        case .upgrading(let successor, let ticket):
            successor.abandon()
            report(.failed("the server stops"), to: ticket)
        case .draining, .leaving: return
        }
        let window = window ?? node.configuration.drain.window
        log.notice("stopping", metadata: ["cause": "\(cause)", "window": "\(window.milliseconds)ms"])
        let times = node.configuration.timeouts
        let longest = (window + times.stop).milliseconds + 4 * Self.patience
        tell("STOPPING=1", "STATUS=draining", "EXTEND_TIMEOUT_USEC=\(longest * 1000)")
        begin(window: window, isHandover: false)
    }

    /// Tells everybody: the workers to drain, the others that no more will be asked of them.
    func begin(window: Duration, isHandover: Bool) {
        state = .draining(isHandover: isHandover)
        if isHandover {
            sockets.clientFile?.handOver()
            sockets.adminFile?.handOver()
        } else {
            sockets.clientFile?.remove()
        }
        draining = Set((0..<node.workers.count).map { UInt8($0) })
        node.reloader.post(.stop)
        node.admin.post(.drain(isHandover: isHandover))
        closeConnections(over: window, isHandover: isHandover)
    }

    /// A drain is under way and must take no longer than the configuration says; one that ends sooner stays as it is.
    func hasten(cause: String) {
        guard case .draining(let isHandover) = state else { return }
        let window = node.configuration.drain.window
        log.notice("stopping", metadata: ["cause": "\(cause)", "window": "\(window.milliseconds)ms at most"])
        closeConnections(over: window, isHandover: isHandover)
    }

    private func closeConnections(over window: Duration, isHandover: Bool) {
        let configuration = node.configuration
        let drain = Drain(
            window: window.milliseconds, retry: configuration.drain.retry.milliseconds, isHandover: isHandover)
        node.workers.tellAll { $0.drain(drain) }
        // The workers keep the time themselves; this is for one that does not.
        let handshakes = isHandover ? configuration.timeouts.handshake.milliseconds : 0
        let longest = drain.window + handshakes + configuration.timeouts.stop.milliseconds + Self.patience
        let end = loop.now + longest
        if let drainEnd, drainEnd <= end { return }
        drainEnd = end
        loop.schedule(after: longest) { [unowned self] in
            if case .draining = state { cutOff("the time is over") }
        }
    }

    func hasDrained(_ worker: UInt8) {
        draining.remove(worker)
        guard case .draining = state, draining.isEmpty else { return }
        leave()
        // The workers go on until the admin thread has answered: its questions are for them.
        node.admin.post(.stop)
    }

    /// Ends without waiting for anybody's close frame.
    func cutOff(_ cause: String) {
        log.warning("connections are cut off", metadata: ["cause": "\(cause)"])
        leave()
        node.workers.tellAll { $0.stop() }
        node.admin.post(.stop)
    }

    private func leave() {
        state = .leaving
        sockets.adminFile?.remove()
        staying = members
        loop.schedule(after: 2 * Self.patience) { [unowned self] in giveUp() }
    }

    func hasLeft(_ member: LifecycleMessage.Member) {
        staying.remove(member)
        if member == .admin { node.workers.tellAll { $0.stop() } }
        if case .leaving = state, staying.isEmpty { loop.stop() }
    }

    /// A thread that does not end cannot be ended: its script loops for ever.
    private func giveUp() {
        let names = staying.map { "\($0)" }.sorted().joined(separator: " ")
        log.error("left behind, because a script does not end", metadata: ["threads": "\(names)"])
        end = .stuck
        loop.stop()
    }
}

// The server's life from ready to gone: takes the process's signals, ends the threads in the one order in which nothing is lost,
// hands over to a new process, and tells the service manager.
//
// A stop goes so: the workers drain, while the admin API still answers, and pushes reach the remaining connections; when none
// is left, the admin API answers what it has accepted and ends; then the workers run onStop and end.
//
// Runs on: its own thread, which no script and no client can hold up.
// Read next: Lifecycle+Stopping.swift, Lifecycle+Upgrade.swift.

import CLinux
import EventLoop
import Gateway
import Glibc
import Logging

/// The thread that watches over the others.
final class Lifecycle {
    enum State {
        case running
        /// A new process is on its way; the ticket is that of the admin API's request.
        case upgrading(Successor, ticket: UInt64?)
        /// The connections are being closed.
        /// - isHandover: because another process serves.
        case draining(isHandover: Bool)
        /// Every connection has ended or was cut off: the threads are ending.
        case leaving
    }

    let loop = EventLoop()
    let node: Node
    let host: HostProcess
    let sockets: ListeningDescriptors
    let log: Logger
    var state = State.running
    /// Whether a signal has asked for the end.
    private var wasSignalled = false
    /// The time by the loop's clock at which the drain is over even if the workers are not done; nil before it begins.
    var drainEnd: UInt64?
    /// The process that hands over to this one, until it has.
    private var predecessor: Predecessor?
    /// The process that this one hands over to, until that is done.
    var successor: Successor?
    /// Workers that still have connections to close.
    var draining: Set<UInt8> = []
    /// Threads whose loops have not ended.
    var staying: Set<LifecycleMessage.Member> = []
    /// Threads that have not answered the last question whether they are alive.
    var silent: Set<LifecycleMessage.Member> = []
    /// A sign of life is due as soon as all have answered.
    var isOverdue = false
    var end = ServerEnd.complete

    init(node: Node, host: HostProcess, sockets: ListeningDescriptors) {
        self.node = node
        self.host = host
        self.sockets = sockets
        log = node.log
        loop.attach(node.lifecycle) { [unowned self] message in handle(message) }
    }

    /// Runs until every other thread has ended, or has been given up.
    func run() -> ServerEnd {
        let signals =
            host.signals.isEmpty ? nil : SignalSource(host.signals, on: loop) { [unowned self] in received($0) }
        sayReady()
        watchOverThreads()
        withExtendedLifetime(signals) { loop.run() }
        return end
    }

    /// All threads of the server, the workers by number.
    var members: Set<LifecycleMessage.Member> {
        Set((0..<node.workers.count).map { .worker(UInt8($0)) } + [.admin])
    }

    private func handle(_ message: LifecycleMessage) {
        switch message {
        case .drain(let window, let cause): drain(over: window, cause: cause)
        case .upgrade(let ticket): upgrade(ticket)
        case .reloaded: tell("READY=1", "STATUS=scripts version \(node.liveVersion)")
        case .timersHandedOver(let ranUntil): letGo(ranUntil: ranUntil)
        case .alive(let member): isAlive(member)
        case .drained(let worker): hasDrained(worker)
        case .left(let member): hasLeft(member)
        }
    }

    private func received(_ signal: Int32) {
        switch (signal, state) {
        case (SIGHUP, .running), (SIGHUP, .upgrading): reload()
        case (SIGHUP, _): break
        case (SIGUSR2, _): upgrade(nil)
        case (_, .running), (_, .upgrading), (_, .draining): stop(by: signal)
        case (_, .leaving): break
        }
    }

    /// The first signal stops the server as the configuration says, a second one at once. A drain that began otherwise, by the
    /// admin API or a handover, has had no signal.
    private func stop(by signal: Int32) {
        if wasSignalled { return cutOff("a second signal") }
        wasSignalled = true
        let cause = signal == SIGINT ? "SIGINT" : "SIGTERM"
        if case .draining = state { hasten(cause: cause) } else { drain(over: nil, cause: cause) }
    }

    private func reload() {
        tell("RELOADING=1", "MONOTONIC_USEC=\(Self.monotonicMicroseconds)")
        node.reloader.post(.reloadCertificates(cause: "signal"))
        node.reloader.post(.request(ReloadRequest(kind: .folder, cause: ReloadRequest.signal, ticket: nil)))
    }

    // MARK: The service manager

    /// A predecessor that waits for this word speaks to the service manager itself: until then it is the main process.
    private func sayReady() {
        guard let ready = host.sockets.ready else { return tell("READY=1", "STATUS=serving") }
        var byte = UInt8(ascii: "r")
        _ = write(ready, &byte, 1)
        predecessor = Predecessor(ready, on: loop) { [unowned self] ranUntil in
            predecessor = nil
            node.workers.tell(0) { $0.takeOverTimers(ranUntil: ranUntil) }
        }
        sockets.clientFile?.takeOver()
        sockets.adminFile?.takeOver()
    }

    func tell(_ assignments: String...) {
        host.notifier?.tell(assignments)
    }

    /// The clock by which the service manager tells a reload from the one before.
    static var monotonicMicroseconds: UInt64 { clinux_monotonic_nanoseconds() / 1000 }
}

// Signs of life for the service manager, sent only while the loop of every worker and of the admin thread goes round: a process
// with a stuck thread looks alive from outside, and should be started anew.

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

// How a server ended, for the process's exit code.

/// How a server ended.
public enum ServerEnd: Sendable {
    /// Every thread has ended.
    case complete
    /// A thread did not answer and was left behind: a script loops for ever.
    case stuck

    /// The process's exit code: 0, or 5 when a thread was left behind.
    public var exitCode: Int32 {
        switch self {
        case .complete: 0
        case .stuck: 5
        }
    }
}

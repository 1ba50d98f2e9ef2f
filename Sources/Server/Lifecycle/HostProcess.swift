// What a server has to do with the process around it: signals, sockets that were passed to it, a service manager that wants to be
// told, and how to start the program anew. A server inside a test has none of it.
//
// Runs on: the main thread, before any other is started.
// Read next: Lifecycle.swift.

import CLinux
import EventLoop
import Glibc

/// The process around a server.
public struct HostProcess: Sendable {
    /// No process of its own: no signals, no passed sockets, no upgrade.
    public static let none = HostProcess()

    var sockets = PassedSockets()
    var notifier: ServiceNotifier?
    /// Milliseconds within which the service manager wants a sign of life; nil: it does not.
    var watchdog: UInt64?
    var program: Program?
    /// The working folder by a name whose links are followed anew each time; nil where only the folder itself is known.
    var workingFolder: String?
    var signals: [Int32] = []

    /// The process as it was started. Takes the variables that are meant for this process alone out of the environment, and
    /// blocks the signals that the server is going to read.
    public static func current() throws(StartError) -> HostProcess {
        var process = HostProcess()
        process.signals = [SIGINT, SIGTERM, SIGHUP, SIGUSR2]
        SignalSource.block(process.signals)
        signal(SIGPIPE, SIG_IGN)
        // For the main thread, and for as long as the process lives.
        _ = clinux_add_crash_stack()
        process.program = Program.current
        process.notifier = variable("NOTIFY_SOCKET").flatMap { ServiceNotifier(socket: $0) }
        process.watchdog = watchdogTime()
        process.sockets = try PassedSockets.take()
        process.workingFolder = WorkingFolder.named(isSuccessor: process.sockets.ready != nil)
        return process
    }

    /// The path, from the working folder's name on if it is relative.
    func located(_ path: String) -> String {
        guard !path.hasPrefix("/"), let workingFolder else { return path }
        return workingFolder + "/" + path
    }

    static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    private static func watchdogTime() -> UInt64? {
        if let process = variable("WATCHDOG_PID"), process != "\(getpid())" { return nil }
        guard let time = variable("WATCHDOG_USEC").flatMap({ UInt64($0) }), time >= 2000 else { return nil }
        return time / 1000
    }
}

// The process around a server: its signals, the sockets that were passed to it, a service manager that wants to be told, and how to
// start the program anew. A server inside a test has none of it.
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

// The program that this process runs, as a path that leads to its next version once that is installed: /proc/self/exe names the
// file that is running, which by then may be deleted, or be the old version beside the new one.

/// A program file and its command line.
struct Program: Sendable {
    let path: String
    /// With the program's own name first.
    let arguments: [String]

    /// The program and command line of this process. Asked for at the start, before the file is replaced or the folder changes.
    static var current: Program {
        let running = link("/proc/self/exe")
        let called = located(CommandLine.arguments.first ?? "").flatMap { resolved($0) == running ? $0 : nil }
        return Program(path: called ?? running, arguments: CommandLine.arguments)
    }

    /// The file that a shell would start for the word, symbolic links as they are.
    private static func located(_ word: String) -> String? {
        if word.hasPrefix("/") { return word }
        if word.contains("/") { return link("/proc/self/cwd") + "/" + word }
        let folders = HostProcess.variable("PATH")?.split(separator: ":") ?? []
        return folders.map { "\($0)/\(word)" }.first { $0.hasPrefix("/") && access($0, X_OK) == 0 }
    }

    private static func resolved(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func link(_ path: String) -> String {
        withUnsafeTemporaryAllocation(byteCount: Int(PATH_MAX), alignment: 1) { target in
            let count = readlink(path, target.baseAddress!, target.count)
            return String(decoding: target.prefix(max(0, count)), as: UTF8.self)
        }
    }
}

// The working folder under the name by which the process was started. The kernel knows only where the name led at that time:
// where a link on the way is swapped for a new release, a relative path would lead to the old one for ever.

/// The name of the working folder.
enum WorkingFolder {
    /// The shell's name for the folder (`PWD`), if that name leads to it.
    ///
    /// A successor inherits the name after its predecessor has checked it, and by then the name may lead elsewhere on purpose. A
    /// name that is wrong is taken out of the environment, so that no successor believes it.
    static func named(isSuccessor: Bool) -> String? {
        guard let name = HostProcess.variable("PWD"), name.hasPrefix("/"), let there = Identity(of: name),
            isSuccessor || there == Identity(of: ".")
        else {
            unsetenv("PWD")
            return nil
        }
        return name
    }

    private struct Identity: Equatable {
        let device: UInt64
        let inode: UInt64

        init?(of path: String) {
            var status = stat()
            guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return nil }
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
        }
    }
}

// Tells the service manager how the process fares: systemd's protocol of one datagram per message, sd_notify(3), without its
// library.

/// The socket on which a service manager listens.
struct ServiceNotifier: Sendable {
    private let socket: String

    /// - Parameter socket: a path, or `@` and the name of an abstract socket; nil for anything else.
    init?(socket: String) {
        guard socket.hasPrefix("/") || socket.hasPrefix("@"), socket.utf8.count > 1 else { return nil }
        self.socket = socket
    }

    /// Sends assignments such as `READY=1` in one message. A manager that is gone is no concern of ours.
    func tell(_ assignments: [String]) {
        let message = Array(assignments.joined(separator: "\n").utf8)
        _ = clinux_send_to_path(socket, message, message.count)
    }
}

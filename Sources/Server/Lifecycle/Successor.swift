// The process that is to take over: started with the listening sockets, watched until it says that it serves. It says so with one
// byte on a socket; when it ends before, the socket does too. On the same socket it is told, a moment later, up to when this process
// has run the named timers.
//
// Runs on: the lifecycle's thread.

import CLinux
import EventLoop
import Glibc

/// A new process of the program, on its way to be ready.
final class Successor: Source {
    struct Failure: Error { let message: String }

    let pid: pid_t
    private unowned let loop: EventLoop
    private var timer: TimerID?
    /// The socket, after the new process has said that it serves; -1 before and afterwards.
    private var line: Int32 = -1
    /// nil: it is ready.
    private let finished: (Failure?) -> Void

    /// Starts the program.
    /// - Parameters:
    ///   - patience: milliseconds that it has to be ready.
    ///   - finished: called once, unless `abandon` comes first.
    init(
        _ program: Program, sockets: ListeningDescriptors, patience: UInt64, on loop: EventLoop,
        finished: @escaping (Failure?) -> Void
    ) throws(Failure) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw Failure(message: "no socket: \(String(cString: strerror(errno)))")
        }
        defer { close(ends[1]) }
        let started = Self.start(program, sockets, ready: ends[1])
        guard started > 0 else {
            close(ends[0])
            throw Failure(message: "cannot start \(program.path): \(String(cString: strerror(-started)))")
        }
        pid = started
        self.loop = loop
        self.finished = finished
        super.init(descriptor: ends[0])
        loop.add(self, for: .readable)
        timer = loop.schedule(after: patience) { [unowned self] in
            timer = nil
            finish(Failure(message: "the new process was not ready in time (drain.handover)"))
        }
    }

    deinit { if line >= 0 { close(line) } }

    /// Tells the new process up to when the named timers have run here, if that is known, and lets go of it.
    func letGo(ranUntil: Int?) {
        guard line >= 0 else { return }
        if let ranUntil {
            let text = Array("\(ranUntil)".utf8)
            _ = clinux_send(line, text, text.count)
        }
        close(line)
        line = -1
    }

    override func ready(_ readiness: Readiness) {
        var byte: UInt8 = 0
        let isReady = read(descriptor, &byte, 1) == 1
        if isReady { line = fcntl(descriptor, F_DUPFD_CLOEXEC, 3) }
        finish(isReady ? nil : Failure(message: "the new process ended before it was ready"))
    }

    /// Ends the new process, without a word to those who wait for it.
    func abandon() {
        stopWatching()
        _ = reap()
    }

    private func finish(_ failure: Failure?) {
        stopWatching()
        guard let failure else { return finished(nil) }
        finished(Failure(message: failure.message + reap()))
    }

    private func stopWatching() {
        if let timer { loop.cancel(timer) }
        timer = nil
        loop.remove(self)
    }

    /// Sees to it that the process is gone, and answers how it ended if that was by itself. One that is on its way out already
    /// keeps its exit code.
    private func reap() -> String {
        kill(pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status & 0x7F == 0 ? ", with exit code \(status >> 8 & 0xFF)" : ""
    }

    // MARK: Starting

    private static func start(_ program: Program, _ sockets: ListeningDescriptors, ready: Int32) -> pid_t {
        let descriptors = sockets.clients + sockets.admin + [ready]
        let names =
            sockets.clients.map { _ in PassedSockets.Name.clients } + sockets.admin.map { _ in .admin } + [.ready]
        let space = String(repeating: " ", count: 12)
        let own = [
            "LISTEN_PID=" + space, "LISTEN_FDS=\(descriptors.count)",
            "LISTEN_FDNAMES=" + names.map(\.rawValue).joined(separator: ":"),
            "LISTEN_FILES="
                + PassedSockets.text(of: [
                    (.clients, sockets.clientFile?.owned), (.admin, sockets.adminFile?.owned),
                ]),
        ]
        var environment = strings(own + inherited)
        var arguments = strings(program.arguments)
        defer { (environment + arguments).forEach { free($0) } }
        return program.path.withCString { path in
            var start = clinux_program()
            start.path = path
            start.pid_text = environment[0]! + "LISTEN_PID=".utf8.count
            return environment.withUnsafeMutableBufferPointer { environment in
                arguments.withUnsafeMutableBufferPointer { arguments in
                    descriptors.withUnsafeBufferPointer { descriptors in
                        start.environment = UnsafePointer(environment.baseAddress)
                        start.arguments = UnsafePointer(arguments.baseAddress)
                        start.descriptors = descriptors.baseAddress
                        start.descriptor_count = Int32(descriptors.count)
                        return clinux_start_program(&start)
                    }
                }
            }
        }
    }

    /// This process's variables, but for those that are meant for one process alone.
    private static var inherited: [String] {
        let own = Set(PassedSockets.variables + ["WATCHDOG_PID"])
        var variables: [String] = []
        var next = environ
        while let variable = next.pointee {
            let text = String(cString: variable)
            if !own.contains(String(text.prefix { $0 != "=" })) { variables.append(text) }
            next += 1
        }
        return variables
    }

    /// A list of C strings that ends with nil; the caller frees each.
    private static func strings(_ list: [String]) -> [UnsafeMutablePointer<CChar>?] { list.map { strdup($0) } + [nil] }
}

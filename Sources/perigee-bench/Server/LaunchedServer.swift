// A perigee started for one measurement: on ports that the kernel picks, which its first lines tell, and gone
// afterwards whatever happens.

import EventLoop
import Glibc
import Synchronization

/// A server that lives as long as a measurement.
final class LaunchedServer {
    /// How long it may take to start, and to stop, in milliseconds.
    private static let patience: Int32 = 10_000
    /// Whom to stop when this process is told to end.
    private static let running = Atomic<Int32>(0)

    let server: ServerUnderTest
    private let pid: pid_t

    init(_ target: TargetOptions, cores: Cores) throws(BenchError) {
        let program = try Self.program(target.server)
        Self.stopWithThisProcess()
        let output = try StartOutput()
        let arguments = [
            program, "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--scripts", target.scripts,
            "--workers", "\(target.workers)", "--log-level", "warning",
        ]
        let pid = try cores.startApart { () throws(BenchError) in
            try Self.spawn(arguments, output: output.writeEnd)
        }
        Self.running.store(pid, ordering: .sequentiallyConsistent)
        do throws(BenchError) {
            let addresses = try output.addresses(within: Self.patience)
            server = ServerUnderTest(
                clients: addresses.clients, admin: addresses.admin, key: target.key, process: ServerProcess(pid: pid),
                deflate: target.deflate)
        } catch {
            Self.end(pid)
            throw error
        }
        self.pid = pid
    }

    /// Asks it to stop, and insists when it does not.
    func stop() { Self.end(pid) }

    private static func end(_ pid: pid_t) {
        running.store(0, ordering: .sequentiallyConsistent)
        kill(pid, SIGTERM)
        for _ in 0..<(patience / 10) {
            if waitpid(pid, nil, WNOHANG) != 0 { return }
            poll(nil, 0, 10)
        }
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }

    /// A terminal's Ctrl-C reaches the server as well; other ways to be stopped do not.
    private static func stopWithThisProcess() {
        for number in [SIGTERM, SIGHUP] {
            signal(number) { number in
                let pid = LaunchedServer.running.load(ordering: .sequentiallyConsistent)
                if pid > 0 { kill(pid, SIGTERM) }
                _exit(128 + number)
            }
        }
    }

    private static func program(_ given: String?) throws(BenchError) -> String {
        if let given { return given }
        var path = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = path.withUnsafeMutableBytes { readlink("/proc/self/exe", $0.baseAddress!, $0.count) }
        let own = String(decoding: path.prefix(max(0, count)), as: UTF8.self)
        let program = String(own.prefix(upTo: own.lastIndex(of: "/") ?? own.startIndex)) + "/perigee"
        guard access(program, X_OK) == 0 else {
            throw BenchError("there is no \(program) to start; build it, or name a running one with --listen")
        }
        return program
    }

    private static func spawn(_ arguments: [String], output: Int32) throws(BenchError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        let words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, arguments[0], &actions, nil, words, environ)
        guard failure == 0 else {
            throw BenchError("cannot start \(arguments[0]): \(String(cString: strerror(failure)))")
        }
        return pid
    }
}

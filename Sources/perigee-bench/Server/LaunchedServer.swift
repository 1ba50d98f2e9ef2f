// A server started for one measurement, on ports that the kernel picks and that its first lines tell; it ends with the
// measurement, also when that fails or this process is stopped.
//
// Read next: ServerUnderTest.swift.

import CLinux
import EventLoop
import Glibc
import Synchronization

/// A server to start: perigee, or the floor beside it.
struct ServerProgram {
    let path: String
    let arguments: [String]
    /// The key of its admin API; nil when it needs none.
    var key: String?
    /// Whether its clients offer permessage-deflate.
    var deflate = false

    /// `perigee serve` on free ports; nil is the perigee beside this program.
    static func perigee(_ path: String?, scripts: String, workers: Int) throws(BenchError) -> ServerProgram {
        ServerProgram(
            path: try locate("perigee", path),
            arguments: [
                "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--scripts", scripts,
                "--workers", "\(workers)", "--log-level", "warning",
            ])
    }

    /// The bare server in C; nil is the one beside this program.
    static func floor(_ path: String?) throws(BenchError) -> ServerProgram {
        ServerProgram(path: try locate("perigee-floor", path), arguments: [])
    }

    private static func locate(_ name: String, _ given: String?) throws(BenchError) -> String {
        if let given { return given }
        var path = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = path.withUnsafeMutableBytes { readlink("/proc/self/exe", $0.baseAddress!, $0.count) }
        let own = String(decoding: path.prefix(max(0, count)), as: UTF8.self)
        let program = String(own.prefix(upTo: own.lastIndex(of: "/") ?? own.startIndex)) + "/" + name
        guard access(program, X_OK) == 0 else { throw BenchError("there is no \(program) to start; build it") }
        return program
    }
}

/// A server that lives as long as a measurement.
final class LaunchedServer {
    /// The time that a start, and a stop, may take, in milliseconds.
    private static let patience: Int32 = 10_000
    /// The process to stop when this process is told to end.
    private static let running = Atomic<Int32>(0)

    let server: ServerUnderTest
    private let pid: pid_t

    init(_ program: ServerProgram, cores: Cores) throws(BenchError) {
        Self.stopWithThisProcess()
        let output = try StartOutput()
        let arguments = [program.path] + program.arguments
        let pid = try cores.startApart { () throws(BenchError) in
            try Self.spawn(arguments, output: output.writeEnd)
        }
        Self.running.store(pid, ordering: .sequentiallyConsistent)
        do throws(BenchError) {
            let addresses = try output.addresses(within: Self.patience)
            server = ServerUnderTest(
                clients: addresses.clients, admin: addresses.admin, key: program.key, process: ServerProcess(pid: pid),
                deflate: program.deflate)
        } catch {
            Self.end(pid)
            throw error
        }
        self.pid = pid
    }

    /// Sends SIGTERM, and SIGKILL when the server does not end in time.
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

    /// A terminal sends Ctrl-C to the server, too; other signals to stop reach only this process.
    private static func stopWithThisProcess() {
        for number in [SIGTERM, SIGHUP] {
            signal(number) { number in
                let pid = LaunchedServer.running.load(ordering: .sequentiallyConsistent)
                if pid > 0 { kill(pid, SIGTERM) }
                _exit(128 + number)
            }
        }
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

/// The pipe at a starting server's standard output, which tells the addresses: `  clients    ws://127.0.0.1:41001` and
/// `  admin API  http://127.0.0.1:41002`.
private final class StartOutput {
    private let readEnd: Int32
    /// The server's standard output; closed in this process before the addresses are read.
    private(set) var writeEnd: Int32

    init() throws(BenchError) {
        var ends: [Int32] = [-1, -1]
        let made = clinux_pipe(&ends)
        guard made == 0 else { throw BenchError("no pipe to the server: \(String(cString: strerror(-made)))") }
        (readEnd, writeEnd) = (ends[0], ends[1])
    }

    deinit {
        close(readEnd)
        closeWriteEnd()
    }

    private func closeWriteEnd() {
        if writeEnd >= 0 { close(writeEnd) }
        writeEnd = -1
    }

    /// Waits for the lines with both addresses.
    func addresses(within milliseconds: Int32) throws(BenchError) -> (clients: SocketAddress, admin: SocketAddress) {
        closeWriteEnd()
        let end = clinux_monotonic_nanoseconds() + UInt64(milliseconds) * 1_000_000
        var text: [UInt8] = []
        while clinux_monotonic_nanoseconds() < end {
            if let clients = address(in: text, after: "  clients    ws://"),
                let admin = address(in: text, after: "  admin API  http://")
            {
                return (clients, admin)
            }
            var entry = pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 100) > 0 else { continue }
            var piece = [UInt8](repeating: 0, count: 4_096)
            let count = read(readEnd, &piece, piece.count)
            guard count > 0 else { throw BenchError("the server ended as it started") }
            text += piece[..<count]
        }
        throw BenchError("the server did not tell its addresses within \(milliseconds / 1_000) s")
    }

    private func address(in text: [UInt8], after label: String) -> SocketAddress? {
        // The last line may be incomplete.
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
        for line in lines where line.starts(with: label.utf8) {
            return SocketAddress(text: String(decoding: line.dropFirst(label.utf8.count), as: UTF8.self))
        }
        return nil
    }
}

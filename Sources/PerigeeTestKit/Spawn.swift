// Spawn: one posix_spawn with everything that a test's child needs: a process group of its own, default signals, empty
// standard input, and pipes for output and errors.
//
// swift-subprocess does not serve: its functions are async and keep a child for the length of one closure, while the child of a
// synchronous test lives as long as an object and each wait for it has a bound of its own.
//
// Read next: ChildProcess.swift.

import CLinux
import Glibc

/// A program with its arguments and its environment, ready to start.
struct Spawn {
    private let program: String
    private let arguments: [String]
    private let environment: [String: String]

    init(_ program: String, _ arguments: [String], _ environment: [String: String]) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
    }

    /// Starts it and returns its process id, which is also its group's.
    func run(output: Int32, errors: Int32) throws(ClientError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        // Sockets of other tests that are not marked close-on-exec are not inherited.
        clinux_spawn_close_from(&actions, 3)

        var attributes = Self.attributes()
        defer { posix_spawnattr_destroy(&attributes) }
        var pid: pid_t = 0
        let words = Self.strings([program] + arguments)
        let variables = Self.strings(inherited + environment.map { "\($0)=\($1)" })
        defer { (words + variables).forEach { free($0) } }
        let code = posix_spawnp(&pid, program, &actions, &attributes, words, variables)
        guard code == 0 else { throw .system(call: "start \(program)", code: code) }
        return pid
    }

    private static func attributes() -> posix_spawnattr_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        posix_spawnattr_setflags(&attributes, Int16(flags))
        posix_spawnattr_setpgroup(&attributes, 0)
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        return attributes
    }

    /// This process's variables, without those that `environment` replaces.
    private var inherited: [String] {
        var variables: [String] = []
        var next = environ
        while let variable = next.pointee {
            let text = String(cString: variable)
            if environment[String(text.prefix { $0 != "=" })] == nil { variables.append(text) }
            next += 1
        }
        return variables
    }

    /// A list of C strings that ends with nil; the caller frees each.
    private static func strings(_ list: [String]) -> [UnsafeMutablePointer<CChar>?] {
        list.map { strdup($0) } + [nil]
    }
}

/// A pipe for a child's output: the read end stays here, the child inherits the write end.
final class Pipe {
    let reader: ByteReader
    private let readEnd: Int32
    private(set) var writeEnd: Int32

    init() throws(ClientError) {
        var ends: [Int32] = [-1, -1]
        let made = clinux_pipe(&ends)
        guard made == 0 else { throw .system(call: "pipe", code: -made) }
        (readEnd, writeEnd) = (ends[0], ends[1])
        reader = ByteReader(descriptor: readEnd)
        _ = fcntl(readEnd, F_SETFL, O_NONBLOCK)
        // Room for the output of a program while the test does not read it (F_SETPIPE_SZ, which Glibc's module lacks).
        _ = fcntl(readEnd, 1031, 1 << 20)
    }

    deinit {
        close(readEnd)
        closeWriteEnd()
    }

    func closeWriteEnd() {
        guard writeEnd >= 0 else { return }
        close(writeEnd)
        writeEnd = -1
    }
}

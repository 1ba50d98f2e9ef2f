// The options of every command that loads a server: which server, for how long, and the form of the report.

import ArgumentParser
import EventLoop

/// The server to load.
struct TargetOptions: ParsableArguments {
    @Option(help: "Load the server that listens there for clients, as HOST:PORT, and start none.")
    var listen: String?

    @Option(help: "Where that server's admin API listens, as HOST:PORT; fan-out needs it.")
    var admin: String?

    @Option(help: "The process id of that server, whose CPU time and memory are measured.")
    var pid: Int32?

    @Option(help: "A key of the admin API, if it needs one.")
    var key: String?

    @Option(help: "The perigee to start. (default: the one beside this program)")
    var server: String?

    @Option(help: "The scripts of the server that is started.")
    var scripts = "Scripts"

    @Option(help: "The worker threads of the server that is started, which has one core.")
    var workers = 1

    @Option(help: "How long each measurement takes, 0.2 to 600.")
    var seconds = 3.0

    @Flag(help: "Let clients offer permessage-deflate.")
    var deflate = false

    @Flag(help: "Report as JSON.")
    var json = false

    func validate() throws {
        guard (0.2...600).contains(seconds) else { throw ValidationError("--seconds is from 0.2 to 600.") }
        guard (1...256).contains(workers) else { throw ValidationError("--workers is from 1 to 256.") }
        guard listen != nil || (admin == nil && pid == nil) else {
            throw ValidationError("--admin and --pid belong to a server that --listen names.")
        }
        if let pid, ServerProcess(pid: pid).cpuSeconds == nil { throw ValidationError("There is no process \(pid).") }
        if let listen { _ = try Self.loopback(listen, "--listen") }
        if let admin { _ = try Self.loopback(admin, "--admin") }
    }

    /// The running server that the options name, nil when one is to be started.
    var givenServer: ServerUnderTest? {
        guard let clients = listen.flatMap(SocketAddress.init(text:)) else { return nil }
        return ServerUnderTest(
            clients: clients, admin: admin.flatMap(SocketAddress.init(text:)), key: key,
            process: pid.map(ServerProcess.init), deflate: deflate)
    }

    /// Throws unless there is an admin API for `command`.
    func requireAdmin(_ command: String) throws {
        guard listen == nil || admin != nil else {
            throw ValidationError("\(command) publishes by HTTP: --admin says where.")
        }
    }

    /// The server to start.
    func program() throws(BenchError) -> ServerProgram {
        var program = try ServerProgram.perigee(server, scripts: scripts, workers: workers)
        program.key = key
        program.deflate = deflate
        return program
    }

    /// Load on another machine may be an attack, so only loopback addresses pass.
    private static func loopback(_ text: String, _ option: String) throws -> SocketAddress {
        guard let address = SocketAddress(text: text) else {
            throw ValidationError("\(option) is HOST:PORT with a numeric host, as 127.0.0.1:8080 or [::1]:8080.")
        }
        guard address.isLoopback else {
            throw ValidationError(
                "\(option) \(text) is not on this machine; only loopback addresses (127.0.0.1, ::1) are loaded.")
        }
        return address
    }
}

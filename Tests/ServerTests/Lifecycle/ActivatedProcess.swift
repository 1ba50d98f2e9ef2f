// The program, started with sockets that the test has opened, as a service manager does it.

import EventLoop
import Glibc
import PerigeeTestKit

@testable import Server

/// A running `perigee serve` that was given its sockets.
final class ActivatedProcess {
    /// The scripts as shipped.
    static let scripts = #filePath.dropLast("/Tests/ServerTests/Lifecycle/ActivatedProcess.swift".count) + "/Scripts"

    private let successor: Successor
    private let loop = EventLoop()
    private var process: StartedProcess
    private let ports: [UInt16]

    /// Starts it, and waits until it says that it serves.
    /// - Parameters:
    ///   - arguments: added to those that every server here has.
    ///   - isManaged: starts it as a service manager does, which waits for no word on a socket.
    init(
        clients: [Int32], admin: Int32, workers: Int, arguments: [String] = [], isManaged: Bool = false
    ) throws {
        let names = clients.map { _ in "clients" } + ["admin"]
        let line = names.count + 3
        let managed =
            "printf r >&\(line); exec \(line)>&-; unset LISTEN_FILES; "
            + "export LISTEN_FDS=\(names.count) LISTEN_FDNAMES=\(names.joined(separator: ":")); "
        let command = (isManaged ? managed : "") + #"exec "$@" > /dev/null"#
        let variables = SecureProgram.environment.map { "\($0.key)=\($0.value)" }
        let program = Program(
            path: "/bin/sh",
            arguments: [
                "sh", "-c", command, "sh", "env",
            ] + variables + [
                PerigeeProgram.path, "--workers", "\(workers)", "--scripts", String(Self.scripts), "--log-level",
                "error",
            ] + arguments)
        ports = (clients + [admin]).map { SocketAddress.local(of: $0).port }.filter { $0 > 0 }
        let sockets = ListeningDescriptors(clients: clients, admin: [admin])
        var result: Successor.Failure??
        successor = try Successor(program, sockets: sockets, patience: 20_000, on: loop) { result = .some($0) }
        process = StartedProcess(pid: successor.pid)
        while result == nil { loop.turn(waitingAtMost: 100) }
        if case .some(.some(let failure)) = result { throw ClientError.unexpected(failure.message) }
        SecureProgram.register(ports)
    }

    deinit {
        SecureProgram.forget(ports)
        process.signal(SIGKILL)
        process.reap()
    }

    func signal(_ number: Int32) { process.signal(number) }

    /// Waits for its end; its exit status, 128 + signal when a signal ended it.
    func wait() throws -> Int32 { try process.wait(within: .seconds(60)) }
}

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
    private var status: Int32?
    private let ports: [UInt16]

    /// Starts it, and waits until it says that it serves.
    init(clients: [Int32], admin: Int32, workers: Int) throws {
        let command = #"exec "$@" > /dev/null"#
        let variables = SecureProgram.environment.map { "\($0.key)=\($0.value)" }
        let program = Program(
            path: "/bin/sh",
            arguments: [
                "sh", "-c", command, "sh", "env",
            ] + variables + [
                PerigeeProgram.path, "--workers", "\(workers)", "--scripts", String(Self.scripts), "--log-level",
                "error",
            ])
        ports = (clients + [admin]).map { SocketAddress.local(of: $0).port }
        let sockets = ListeningDescriptors(clients: clients, admin: [admin])
        var result: Successor.Failure??
        successor = try Successor(program, sockets: sockets, patience: 20_000, on: loop) { result = .some($0) }
        while result == nil { loop.turn(waitingAtMost: 100) }
        if case .some(.some(let failure)) = result { throw ClientError.unexpected(failure.message) }
        SecureProgram.register(ports)
    }

    deinit {
        SecureProgram.forget(ports)
        guard status == nil else { return }
        kill(successor.pid, SIGKILL)
        _ = wait()
    }

    func signal(_ number: Int32) { kill(successor.pid, number) }

    /// Waits for its end; its exit status, 128 + signal when a signal ended it.
    func wait() -> Int32 {
        if let status { return status }
        var raw: Int32 = 0
        while waitpid(successor.pid, &raw, 0) < 0, errno == EINTR {}
        let result = raw & 0x7F == 0 ? raw >> 8 & 0xFF : 128 + raw & 0x7F
        status = result
        return result
    }
}

// A running `perigee serve`: on free ports, with a scripts' folder of its own; over TLS where the run of tests is.

import PerigeeTestKit
import Testing

/// A running `perigee serve`.
final class PerigeeProcess {
    let process: ChildProcess
    let folder: TemporaryFolder
    /// Everything printed at the start, line by line.
    let announcement: [String]
    let clientPort: UInt16
    let adminPort: UInt16

    /// A crash ends the process at once: the runner of tests asks for a backtrace, which takes seconds and writes to a pipe that
    /// nobody may read.
    private static let environment = ["SWIFT_BACKTRACE": "enable=no"]

    /// Starts it, and waits until it says that it runs.
    init(
        scripts: [String: String], arguments: [String] = [], environment: [String: String] = [:],
        hasAdminPort: Bool = true
    ) throws {
        folder = try TemporaryFolder()
        for (name, source) in scripts { try folder.write(source, to: name) }
        let own = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--scripts", folder.path, "--workers", "2"]
        process = try ChildProcess.start(
            PerigeeProgram.path, own + arguments,
            environment: Self.environment.merging(SecureProgram.environment) { $1 }.merging(environment) { $1 },
            timeout: .seconds(30))
        var lines: [String] = []
        repeat { lines.append(try process.outputLine(containing: "")) } while !lines.last!.contains("try ")
        announcement = lines
        clientPort = try Self.port(in: lines, after: ["ws://127.0.0.1:", "wss://127.0.0.1:"])
        let prefixes = ["admin API  http://127.0.0.1:", "admin API  https://127.0.0.1:"]
        adminPort = hasAdminPort ? try Self.port(in: lines, after: prefixes) : 0
        SecureProgram.register([clientPort, adminPort])
    }

    deinit { SecureProgram.forget([clientPort, adminPort]) }

    private static func port(in lines: [String], after prefixes: [String]) throws -> UInt16 {
        let rest = lines.lazy.flatMap { line in
            prefixes.compactMap { prefix in line.firstRange(of: prefix).map { line[$0.upperBound...] } }
        }.first
        return try #require(rest.flatMap { UInt16($0) })
    }

    /// Sends the signal, and answers the exit status and how long it took to come.
    func end(with signal: Int32) throws -> (status: Int32, time: Duration) {
        let start = ContinuousClock.now
        process.signal(signal)
        let status = try process.wait()
        return (status, start.duration(to: .now))
    }
}

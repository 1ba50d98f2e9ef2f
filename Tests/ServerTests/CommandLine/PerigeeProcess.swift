// The built `perigee` as a test runs it: the program beside the test bundle, on free ports, with a folder of its own.

import Glibc
import PerigeeTestKit
import Testing

/// The program, and how it ended.
enum PerigeeProgram {
    /// Where the build put it.
    static let path: String = {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let own = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return own.split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/perigee"
    }()

    /// Runs it to its end.
    static func run(
        _ arguments: [String], environment: [String: String] = [:]
    ) throws -> (status: Int32, output: String, errors: String) {
        let process = try ChildProcess.start(path, arguments, environment: environment, timeout: .seconds(30))
        let output = try process.readOutputToEnd()
        let errors = try process.readErrorsToEnd()
        return (try process.wait(), output, errors)
    }
}

/// A running `perigee serve`.
final class PerigeeProcess {
    let process: ChildProcess
    let folder: TemporaryFolder
    /// Everything printed at the start, line by line.
    let announcement: [String]
    let clientPort: UInt16
    let adminPort: UInt16

    /// Starts it, and waits until it says that it runs.
    init(
        scripts: [String: String], arguments: [String] = [], environment: [String: String] = [:]
    ) throws {
        folder = try TemporaryFolder()
        for (name, source) in scripts { try folder.write(source, to: name) }
        let own = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--scripts", folder.path, "--workers", "2"]
        process = try ChildProcess.start(
            PerigeeProgram.path, own + arguments, environment: environment, timeout: .seconds(30))
        var lines: [String] = []
        repeat { lines.append(try process.outputLine(containing: "")) } while !lines.last!.contains("try ")
        announcement = lines
        clientPort = try Self.port(in: lines, after: "ws://127.0.0.1:")
        adminPort = try Self.port(in: lines, after: "admin API  http://127.0.0.1:")
    }

    private static func port(in lines: [String], after prefix: String) throws -> UInt16 {
        let rest = lines.lazy.compactMap { line in line.firstRange(of: prefix).map { line[$0.upperBound...] } }.first
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

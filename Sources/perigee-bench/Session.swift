// One run of a command: a server for each scenario, a row for each result.
//
// Read next: Server/LaunchedServer.swift, Scenarios/Measurement.swift, Report/Report.swift.

import ArgumentParser
import CLinux
import Glibc

/// Runs scenarios one after the other and reports each when it ends.
struct Session {
    private let target: TargetOptions
    private let cores = Cores()

    init(_ target: TargetOptions) { self.target = target }

    /// Throws exit code 1 after a line on stderr when a scenario cannot be measured.
    func run(_ scenarios: [any Scenario]) throws {
        try Self.measuring(scenarios) { () throws(BenchError) in try measureAll(scenarios) }
    }

    /// Calls `body`, which measures the scenarios; throws exit code 1 after a line on stderr when that fails.
    static func measuring(_ scenarios: [any Scenario], _ body: () throws(BenchError) -> Void) throws {
        signal(SIGPIPE, SIG_IGN)
        let descriptors = clinux_raise_descriptor_limit()
        do throws(BenchError) {
            for scenario in scenarios { try scenario.check(descriptors: descriptors) }
            try body()
        } catch {
            let line = Array("perigee-bench: \(error)\n".utf8)
            write(STDERR_FILENO, line, line.count)
            throw ExitCode(1)
        }
    }

    private func measureAll(_ scenarios: [any Scenario]) throws(BenchError) {
        var results: [Figures] = []
        let report = TextReport()
        if !target.json { print("\(setting)\n\n\(report.head)") }
        for scenario in scenarios {
            let figures = try measure(scenario)
            results.append(figures)
            if !target.json { print(report.row(figures)) }
            fflush(nil)
        }
        print(target.json ? JSONReport.text(results, server: setting) : report.foot(results))
    }

    private func measure(_ scenario: any Scenario) throws(BenchError) -> Figures {
        if let server = target.givenServer { return try scenario.run(on: server, seconds: target.seconds) }
        return try Self.measure(scenario, on: target.program(), cores: cores, seconds: target.seconds)
    }

    /// Starts a server for one measurement.
    static func measure(
        _ scenario: any Scenario, on program: ServerProgram, cores: Cores, seconds: Double
    ) throws(BenchError) -> Figures {
        let launched = try LaunchedServer(program, cores: cores)
        defer { launched.stop() }
        return try scenario.run(on: launched.server, seconds: seconds)
    }

    /// The server and the cores, in one line.
    private var setting: String {
        if let server = target.givenServer {
            let cpu = server.process == nil ? "; its CPU time and memory are unknown without --pid" : ""
            return "perigee at \(server.clients), \(target.seconds.text(digits: 1)) s each\(cpu)"
        }
        let workers = target.workers == 1 ? "1 worker" : "\(target.workers) workers"
        return "perigee, \(workers), \(cores.text), \(target.seconds.text(digits: 1)) s each"
    }
}

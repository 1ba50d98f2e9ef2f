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

    /// Ends the process with exit code 1 and a line on stderr when a scenario cannot be measured.
    func run(_ scenarios: [any Scenario]) throws {
        signal(SIGPIPE, SIG_IGN)
        let descriptors = clinux_raise_descriptor_limit()
        do throws(BenchError) {
            for scenario in scenarios { try scenario.check(descriptors: descriptors) }
            try measureAll(scenarios)
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
        let launched = try LaunchedServer(target, cores: cores)
        defer { launched.stop() }
        return try scenario.run(on: launched.server, seconds: target.seconds)
    }

    /// The server and the cores, in one line.
    private var setting: String {
        if let server = target.givenServer {
            let cpu = server.process == nil ? "; its CPU time and memory are unknown without --pid" : ""
            return "perigee at \(server.clients), \(target.seconds.text(digits: 1)) s each\(cpu)"
        }
        let workers = target.workers == 1 ? "1 worker" : "\(target.workers) workers"
        let place =
            cores.areApart
            ? "server on core \(cores.server), generator on core \(cores.generator)"
            : "one core for server and generator"
        return "perigee, \(workers), \(place), \(target.seconds.text(digits: 1)) s each"
    }
}

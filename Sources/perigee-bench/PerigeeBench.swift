// The load generator's command line: its measurements and their server.
//
// Read next: Commands.swift, then Session.swift, then Scenarios/Load.swift.

import ArgumentParser

@main
struct PerigeeBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "perigee-bench",
        abstract: "Load a Perigee on this machine, and report its speed and its CPU time.",
        discussion: """
            Without --listen it starts the perigee beside it, anew for each measurement, on a core of its own where \
            there are two. The figure to compare between versions is the server's CPU time: it holds even where the \
            generator is the bottleneck, and then the report says so.
            """,
        subcommands: [
            All.self, Echo.self, Fanout.self, Pushes.self, Handshakes.self, Idle.self, Compare.self, Scripts.self,
        ],
        defaultSubcommand: All.self)
}

/// A measurement that could not be made, and why.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

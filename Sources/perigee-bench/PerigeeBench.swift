// The load generator's command line: what it measures, and against which server.
//
// Read next: Commands/TargetOptions.swift, then Scenarios/Load.swift.

import ArgumentParser

@main
struct PerigeeBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "perigee-bench",
        abstract: "Loads a Perigee on this machine, and says how fast it is and what that costs it.",
        discussion: """
            Without --listen it starts the perigee beside it, anew for each measurement, on a core of its own where \
            there are two. The figure to compare between versions is the server's CPU time: it holds also where the \
            generator could do no more, and then the report says so.
            """,
        subcommands: [All.self, Echo.self, Fanout.self, Idle.self, Handshakes.self, Scripts.self],
        defaultSubcommand: All.self)
}

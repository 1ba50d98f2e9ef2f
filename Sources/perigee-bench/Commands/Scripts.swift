// `perigee-bench scripts`

import ArgumentParser
import CLinux

struct Scripts: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What a handler costs: an event, a wait, the collector, a reload. Without a server.",
        discussion: "Figures are CPU time of the one thread, the least of several rounds unless it says otherwise.")

    @Option(help: "How often each measurement is made.")
    var rounds = 7

    func validate() throws {
        guard rounds > 0 else { throw ValidationError("--rounds is at least 1") }
    }

    func run() throws {
        clinux_tune_malloc()
        try EventCosts(rounds: rounds).report()
        try CollectorPauses().report()
        try WaitCosts(rounds: rounds).report()
        try ReloadCosts(rounds: rounds).report()
    }
}

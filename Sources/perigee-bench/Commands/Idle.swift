// `perigee-bench idle`

import ArgumentParser

struct Idle: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Clients that only stay: what each costs in memory.")

    @OptionGroup var target: TargetOptions

    @Option(help: "How many clients.")
    var connections = 10_000

    @Option(help: "The path they connect to.")
    var path = "/echo"

    func validate() throws { try Limits.check(connections: connections, path: path) }

    func run() throws { try Session(target).run([IdleScenario(connections: connections, path: path)]) }
}

// `perigee-bench handshakes`

import ArgumentParser

struct Handshakes: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Clients that connect and go at once.")

    @OptionGroup var target: TargetOptions

    @Option(help: "How many clients connect at a time.")
    var connections = 50

    @Option(help: "The path they connect to.")
    var path = "/echo"

    func validate() throws { try Limits.check(connections: connections, path: path) }

    func run() throws { try Session(target).run([HandshakeScenario(parallel: connections, path: path)]) }
}

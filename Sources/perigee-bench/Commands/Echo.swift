// `perigee-bench echo`

import ArgumentParser

struct Echo: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Messages that a script sends back.")

    @OptionGroup var target: TargetOptions

    @Option(help: "How many clients.")
    var connections = 200

    @Option(help: "How many messages each client has under way at a time.")
    var inFlight = 1

    @Option(help: "Bytes of each message.")
    var size = 64

    @Option(help: "The path whose script sends messages back.")
    var path = "/echo"

    func validate() throws {
        try Limits.check(connections: connections, inFlight: inFlight, size: size, path: path)
    }

    func run() throws {
        try Session(target).run([
            EchoScenario(connections: connections, inFlight: inFlight, size: size, path: path)
        ])
    }
}

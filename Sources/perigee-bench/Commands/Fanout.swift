// `perigee-bench fanout`

import ArgumentParser

struct Fanout: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Pushes by HTTP to a channel with many subscribers.")

    @OptionGroup var target: TargetOptions

    @Option(help: "How many subscribers.")
    var connections = 1_000

    @Option(help: "How many publications may be under way at a time.")
    var inFlight = 1

    @Option(help: "Bytes of each message.")
    var size = 64

    @Option(help: "The path whose script subscribes clients to the channel that they name as ?channel=.")
    var path = "/"

    func validate() throws {
        try Limits.check(connections: connections, inFlight: inFlight, size: size, path: path)
        guard target.listen == nil || target.admin != nil else {
            throw ValidationError("fanout publishes by HTTP: --admin says where.")
        }
    }

    func run() throws {
        try Session(target).run([
            FanoutScenario(subscribers: connections, inFlight: inFlight, size: size, path: path)
        ])
    }
}

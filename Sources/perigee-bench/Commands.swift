// The commands that load a server: which scenarios each runs, with which options and limits.
//
// Read next: TargetOptions.swift, Scenarios/Measurement.swift.

import ArgumentParser
import CLinux

/// `perigee-bench`: the usual set.
struct All: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run every scenario at its usual size (the default).")

    @OptionGroup var target: TargetOptions

    func run() throws {
        var scenarios: [any Scenario] = [
            EchoScenario(connections: 200, inFlight: 1, size: 64, path: "/echo"),
            EchoScenario(connections: 50, inFlight: 16, size: 64, path: "/echo"),
            EchoScenario(connections: 50, inFlight: 1, size: 16 << 10, path: "/echo"),
        ]
        if target.listen == nil || target.admin != nil {
            scenarios += [1_000, 100, 1].map {
                FanoutScenario(subscribers: $0, inFlight: 1, size: 64, path: "/") as any Scenario
            }
        }
        scenarios.append(HandshakeScenario(parallel: 50, path: "/echo"))
        scenarios.append(IdleScenario(connections: IdleScenario.usualConnections, path: "/echo"))
        try Session(target).run(scenarios)
    }
}

/// The defaults and help texts of a command that sends messages.
struct UsualLoad {
    var connections: Int
    var connectionsHelp: String
    var inFlight = 1
    var inFlightHelp: String
    var path = "/"
    var pathHelp = "The path whose script subscribes clients to the channel in ?channel=."
}

/// A command that sends messages.
protocol LoadCommand: ParsableCommand {
    static var usual: UsualLoad { get }
}

/// The options of a command that sends messages.
struct LoadOptions<Command: LoadCommand>: ParsableArguments {
    @Option(help: ArgumentHelp(Command.usual.connectionsHelp))
    var connections = Command.usual.connections

    @Option(help: ArgumentHelp(Command.usual.inFlightHelp))
    var inFlight = Command.usual.inFlight

    @Option(help: "Bytes of each message.")
    var size = 64

    @Option(help: ArgumentHelp(Command.usual.pathHelp))
    var path = Command.usual.path

    func validate() throws {
        try Limits.check(connections: connections, inFlight: inFlight, size: size, path: path)
    }
}

/// `perigee-bench echo`
struct Echo: LoadCommand {
    static let configuration = CommandConfiguration(abstract: "Send messages that a script sends back.")
    static let usual = UsualLoad(
        connections: 200, connectionsHelp: "How many clients.",
        inFlightHelp: "How many messages each client has in flight.",
        path: "/echo", pathHelp: "The path whose script sends messages back.")

    @OptionGroup var target: TargetOptions
    @OptionGroup var load: LoadOptions<Echo>

    func run() throws {
        try Session(target).run([
            EchoScenario(connections: load.connections, inFlight: load.inFlight, size: load.size, path: load.path)
        ])
    }
}

/// `perigee-bench fanout`
struct Fanout: LoadCommand {
    static let configuration = CommandConfiguration(abstract: "Push by HTTP to a channel with many subscribers.")
    static let usual = UsualLoad(
        connections: 1_000, connectionsHelp: "How many subscribers.",
        inFlightHelp: "How many publications may be in flight.")

    @OptionGroup var target: TargetOptions
    @OptionGroup var load: LoadOptions<Fanout>

    func validate() throws { try target.requireAdmin("fanout") }

    func run() throws {
        try Session(target).run([
            FanoutScenario(subscribers: load.connections, inFlight: load.inFlight, size: load.size, path: load.path)
        ])
    }
}

/// `perigee-bench pushes`
struct Pushes: LoadCommand {
    static let configuration = CommandConfiguration(abstract: "Push by HTTP to one subscriber, many pushes at a time.")
    static let usual = UsualLoad(
        connections: 1, connectionsHelp: "How many publishers, each with one connection to the admin API.",
        inFlight: 16, inFlightHelp: "How many pushes each publisher has in flight.")

    @OptionGroup var target: TargetOptions
    @OptionGroup var load: LoadOptions<Pushes>

    func validate() throws { try target.requireAdmin("pushes") }

    func run() throws {
        try Session(target).run([
            PushScenario(publishers: load.connections, inFlight: load.inFlight, size: load.size, path: load.path)
        ])
    }
}

/// `perigee-bench handshakes`
struct Handshakes: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Connect clients that leave at once.")

    @OptionGroup var target: TargetOptions

    @Option(help: "How many clients connect at a time.")
    var connections = 50

    @Option(help: "The path they connect to.")
    var path = "/echo"

    func validate() throws { try Limits.check(connections: connections, path: path) }

    func run() throws { try Session(target).run([HandshakeScenario(parallel: connections, path: path)]) }
}

/// `perigee-bench idle`
struct Idle: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Measure the memory of connections that stay silent.")

    @OptionGroup var target: TargetOptions

    @Option(help: "How many clients.")
    var connections = 10_000

    @Option(help: "The path they connect to.")
    var path = "/echo"

    func validate() throws { try Limits.check(connections: connections, path: path) }

    func run() throws { try Session(target).run([IdleScenario(connections: connections, path: path)]) }
}

/// The ranges of the options, which each message names.
private enum Limits {
    /// One client address has a few more ports than this for one server address.
    static let connections = 1...25_000
    static let inFlight = 1...1_000
    /// A message has room for its time stamp.
    static let size = MessageStamp.count...(16 << 20)

    static func check(connections: Int, inFlight: Int = 1, size: Int = MessageStamp.count, path: String) throws {
        guard self.connections.contains(connections) else {
            throw ValidationError(
                "--connections is from \(self.connections.lowerBound) to \(self.connections.upperBound).")
        }
        guard self.inFlight.contains(inFlight) else {
            throw ValidationError("--in-flight is from \(self.inFlight.lowerBound) to \(self.inFlight.upperBound).")
        }
        guard self.size.contains(size) else {
            throw ValidationError("--size is from \(self.size.lowerBound) to \(self.size.upperBound) bytes.")
        }
        let isToken = path.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        guard path.hasPrefix("/"), isToken, path.utf8.count <= 1_024 else {
            throw ValidationError("--path begins with a slash and has neither spaces nor control characters.")
        }
    }
}

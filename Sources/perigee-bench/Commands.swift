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

/// `perigee-bench echo`
struct Echo: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Send messages that a script sends back.")

    @OptionGroup var target: TargetOptions

    @Option(help: "How many clients.")
    var connections = 200

    @Option(help: "How many messages each client has in flight.")
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

/// `perigee-bench fanout`
struct Fanout: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Push by HTTP to a channel with many subscribers.")

    @OptionGroup var target: TargetOptions

    @Option(help: "How many subscribers.")
    var connections = 1_000

    @Option(help: "How many publications may be in flight.")
    var inFlight = 1

    @Option(help: "Bytes of each message.")
    var size = 64

    @Option(help: "The path whose script subscribes clients to the channel in ?channel=.")
    var path = "/"

    func validate() throws {
        try Limits.check(connections: connections, inFlight: inFlight, size: size, path: path)
        try target.requireAdmin("fanout")
    }

    func run() throws {
        try Session(target).run([
            FanoutScenario(subscribers: connections, inFlight: inFlight, size: size, path: path)
        ])
    }
}

/// `perigee-bench pushes`
struct Pushes: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Push by HTTP to one subscriber, many pushes at a time.")

    @OptionGroup var target: TargetOptions

    @Option(help: "How many publishers, each with one connection to the admin API.")
    var connections = 1

    @Option(help: "How many pushes each publisher has in flight.")
    var inFlight = 16

    @Option(help: "Bytes of each message.")
    var size = 64

    @Option(help: "The path whose script subscribes clients to the channel in ?channel=.")
    var path = "/"

    func validate() throws {
        try Limits.check(connections: connections, inFlight: inFlight, size: size, path: path)
        try target.requireAdmin("pushes")
    }

    func run() throws {
        try Session(target).run([
            PushScenario(publishers: connections, inFlight: inFlight, size: size, path: path)
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

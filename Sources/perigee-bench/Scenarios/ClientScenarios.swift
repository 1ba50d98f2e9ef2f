// Scenarios without a backend: clients that send and get their messages back, clients that connect and leave, and clients that
// stay and are silent.
//
// Read next: Load.swift.

import CLinux

/// Each client has some messages in flight, and sends one for each that comes back.
struct EchoScenario: Scenario {
    let connections: Int
    let inFlight: Int
    let size: Int
    let path: String

    func run(on server: ServerUnderTest, seconds: Double) throws(BenchError) -> Figures {
        let load = EchoLoad(server, path: path, size: size)
        try load.open(connections)
        for client in load.clients { client.send(load.message, times: inFlight) }
        let window = try load.measure(seconds: seconds)
        let depth = inFlight == 1 ? "" : ", \(inFlight) in flight each"
        return Figures(
            scenario: "echo", setting: "\(size.bytesText), \(connections.grouped) clients\(depth)", unit: "message",
            window: window, lost: load.lostCount)
    }
}

/// Clients that answer each message with the next.
private final class EchoLoad: Load {
    let message: OutgoingMessage

    init(_ server: ServerUnderTest, path: String, size: Int) {
        message = OutgoingMessage(size: size)
        super.init(server, path: path)
    }

    override func clientReceived(_ client: LoadClient, _ messages: Int) {
        count += messages
        client.send(message, times: messages)
    }
}

/// Clients that connect and leave.
struct HandshakeScenario: Scenario {
    let parallel: Int
    let path: String

    var connections: Int { parallel }

    func run(on server: ServerUnderTest, seconds: Double) throws(BenchError) -> Figures {
        let load = HandshakeLoad(server, path: path)
        for _ in 0..<parallel { try load.connect() }
        let window = try load.measure(seconds: seconds)
        return Figures(
            scenario: "handshake", setting: "\(parallel.grouped) at a time", unit: "handshake", window: window,
            lost: load.lostCount)
    }
}

/// Clients that follow each other.
private final class HandshakeLoad: Load {
    /// How many closed clients are released together.
    private static let batch = 1_024

    override func clientOpened(_ client: LoadClient) {
        super.clientOpened(client)
        note(latency: clinux_monotonic_nanoseconds() - client.startedAt)
        count += 1
        client.leave()
    }

    override func clientClosed(_ client: LoadClient) {
        super.clientClosed(client)
        // No second attempt after a refusal: a server that refuses every client must not be stormed.
        guard client.isLeaving else {
            return fail("\(server.clients) closes before the handshake is over: is the server there?")
        }
        if clients.count > Self.batch { forgetClosed() }
        do throws(BenchError) { try connect() } catch { fail(error) }
    }
}

/// Clients that stay and are silent. The first tenth makes the server touch the memory that all share; the memory that the
/// others add is theirs.
struct IdleScenario: Scenario {
    let connections: Int
    let path: String

    /// 10,000, or as many as this process may open.
    static var usualConnections: Int {
        let descriptors = Int(clamping: clinux_raise_descriptor_limit())
        return max(1, min(10_000, descriptors - spareDescriptors))
    }

    func run(on server: ServerUnderTest, seconds: Double) throws(BenchError) -> Figures {
        let load = Load(server, path: path)
        let first = max(1, connections / 10)
        try load.open(first)
        try load.run(for: 0.2)
        let before = server.process?.residentBytes
        try load.open(connections)
        let start = Snapshot(count: 0, server: server.process)
        try load.run(for: seconds)
        let window = Window(from: start, to: Snapshot(count: 0, server: server.process), latency: Histogram())
        var figures = Figures(
            scenario: "idle", setting: "\(connections.grouped) clients", unit: "connection", window: window,
            lost: load.lostCount)
        if let before, let after = server.process?.residentBytes, connections > first {
            figures.bytesPerConnection = Double(after - before) / Double(connections - first)
        }
        return figures
    }
}

// Echo: each client has some messages under way, and sends one for each that comes back.

/// Messages that the script sends back.
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

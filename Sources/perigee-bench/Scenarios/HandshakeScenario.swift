// Handshakes: some clients at a time connect, shake hands and go; each that is gone is followed by the next.

import CLinux

/// Clients that connect and go.
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
    /// Closed clients are let go of by the batch.
    private static let batch = 1_024

    override func clientOpened(_ client: LoadClient) {
        super.clientOpened(client)
        note(latency: clinux_monotonic_nanoseconds() - client.startedAt)
        count += 1
        client.leave()
    }

    override func clientClosed(_ client: LoadClient) {
        super.clientClosed(client)
        // Who is hung up on does not try again at once: a server that refuses everybody must not be stormed.
        guard client.isLeaving else {
            return fail("\(server.clients) hangs up before the handshake is over: is the server there?")
        }
        if clients.count > Self.batch { forgetClosed() }
        do throws(BenchError) { try connect() } catch { fail(error) }
    }
}

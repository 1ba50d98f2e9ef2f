// Hostile clients on both ports: each gets the required reaction, and no other client notices.

import JSON
import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("Hostile streams", .bounded)
struct HostileStreamTests {
    /// A healthy client gets its echo.
    @Test(
        "a malformed request is answered with its status and closed",
        arguments: HostileStream.requests)
    func request(_ stream: HostileStream) throws { try check(stream) }

    /// A healthy client gets its echo.
    @Test(
        "a malformed handshake is answered with its status and closed",
        arguments: HostileStream.handshakes + HostileStream.offers)
    func handshake(_ stream: HostileStream) throws { try check(stream) }

    /// It affects no client.
    @Test(
        "a malformed admin request is answered with its status",
        arguments: HostileStream.adminRequests)
    func admin(_ stream: HostileStream) throws { try check(stream) }

    /// A healthy client gets its echo.
    @Test(
        "a breach of the protocol is closed with its code",
        arguments: HostileStream.frames + HostileStream.compressedFrames)
    func frames(_ stream: HostileStream) throws { try check(stream) }

    @Test(
        "streams that come byte by byte get the same reaction",
        arguments: [
            HostileStream.requests, HostileStream.handshakes, HostileStream.offers, HostileStream.frames,
            HostileStream.compressedFrames, HostileStream.adminRequests,
        ])
    func byteByByte(_ streams: [HostileStream]) throws {
        try withServer(configure: Self.configure) { server in
            let played = streams.filter { $0.bytes.count < 200 && $0.ending == .waits }
            #expect(played.count >= 4, "of \(streams.count)")
            for stream in played {
                let fate = try stream.play(on: server, inPiecesOf: 1)
                #expect(fate == stream.fate, "\(stream.testDescription)")
            }
        }
    }

    /// The healthy client is on the only worker, connected before the hostile one, and used after it.
    private func check(_ stream: HostileStream) throws {
        try withServer(configure: Self.configure) { server in
            let healthy = try server.connect("/echo")
            let before = try server.nodeState()
            #expect(try stream.play(on: server) == stream.fate)
            if stream.ending == .resets { try checkReset(stream, on: server, before) }
            try healthy.send("still there?")
            #expect(try healthy.receiveText() == "still there?", "and nothing before it")
            #expect(try server.nodeState()["scriptErrors"] == 0)
        }
    }

    /// No client is left to get an answer, so the server's own figures show that the hostile one came, and that it is
    /// gone.
    private func checkReset(_ stream: HostileStream, on server: TestServer, _ before: JSON) throws {
        var questions = 0
        try server.eventually("the hostile client came, and is gone") {
            let state = try server.nodeState()
            questions += 1
            func grown(_ counter: String) throws -> Int {
                try #require(state[counter]?.int) - #require(before[counter]?.int)
            }
            switch stream.port {
            case .clients:
                let isOpened = try !stream.isUpgraded || grown("opened") == 1
                return try grown("accepted") == 1 && isOpened && state["connections"] == 1
            case .admin:
                // Each question comes over a connection of its own.
                return try grown("adminAccepted") == questions + 1 && state["adminConnections"] == 1
            }
        }
    }

    private static func configure(_ configuration: inout Configuration) {
        configuration.workers = 1
        configuration.websocket.maxMessage = 1 << 20
    }
}

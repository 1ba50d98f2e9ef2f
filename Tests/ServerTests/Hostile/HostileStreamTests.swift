// Strangers on both ports: each gets what it is owed, and no other client notices.

import PerigeeTestKit
import Server
import Testing

@Suite("Hostile streams")
struct HostileStreamTests {
    @Test(
        "what is no request is answered with its status and closed; a healthy client gets its echo",
        arguments: HostileStream.requests)
    func request(_ stream: HostileStream) throws { try check(stream) }

    @Test(
        "what is no handshake is answered with its status and closed; a healthy client gets its echo",
        arguments: HostileStream.handshakes + HostileStream.offers)
    func handshake(_ stream: HostileStream) throws { try check(stream) }

    @Test(
        "what the admin API does not understand is answered with its status, and does nothing to anybody",
        arguments: HostileStream.adminRequests)
    func admin(_ stream: HostileStream) throws { try check(stream) }

    @Test(
        "what breaks the protocol is closed with its code; a healthy client gets its echo",
        arguments: HostileStream.frames + HostileStream.compressedFrames)
    func frames(_ stream: HostileStream) throws { try check(stream) }

    @Test(
        "the same is owed to streams that come byte by byte",
        arguments: [
            HostileStream.requests, HostileStream.handshakes, HostileStream.offers, HostileStream.frames,
            HostileStream.compressedFrames, HostileStream.adminRequests,
        ])
    func byteByByte(_ streams: [HostileStream]) throws {
        try withServer(configure: Self.configure) { server in
            for stream in streams where stream.bytes.count < 200 && stream.ending == .waits {
                let fate = try stream.play(on: server, inPiecesOf: 1)
                #expect(fate == stream.fate, "\(stream.testDescription)")
            }
        }
    }

    /// The healthy client is on the only worker, connected before the stranger, and used after it.
    private func check(_ stream: HostileStream) throws {
        try withServer(configure: Self.configure) { server in
            let healthy = try server.connect("/echo")
            #expect(try stream.play(on: server) == stream.fate)
            try healthy.send("still there?")
            #expect(try healthy.receiveText() == "still there?", "and nothing before it")
            #expect(try server.nodeState()["scriptErrors"] == 0)
        }
    }

    private static func configure(_ configuration: inout Configuration) {
        configuration.workers = 1
        configuration.websocket.maxMessage = 1 << 20
    }
}

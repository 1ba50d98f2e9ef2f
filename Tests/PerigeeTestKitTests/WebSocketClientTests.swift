// WebSocketClient: the frames that it writes, joins, answers and refuses.

import Glibc
import PerigeeTestKit
import Testing

@Suite("WebSocketClient", .bounded)
struct WebSocketClientTests {
    static let answer =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"

    @Test("knows the accept value of RFC 6455 section 1.3")
    func acceptValue() {
        #expect(WebSocketClient.acceptValue(for: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    @Test(
        "writes every length in its shortest form and in others on request",
        arguments: [(0, 2), (125, 2), (126, 4), (65535, 4), (65536, 10)])
    func lengths(payload: Int, head: Int) {
        var frame = ClientFrame(opcode: 2, payload: [UInt8](repeating: 7, count: payload))
        #expect(frame.bytes.count == payload + head + 4)
        frame.masked = false
        #expect(frame.bytes.count == payload + head)
        frame.lengthForm = .sixtyFourBits
        #expect(frame.bytes.count == payload + 10)
        frame.declaredLength = .max
        #expect(Array(frame.bytes[1..<10]) == [127] + [UInt8](repeating: 255, count: 8))
    }

    /// Runs the body with a client whose server has sent these bytes after a correct handshake.
    func withServer(sending bytes: [UInt8], end: Bool = true, _ body: (WebSocketClient, Peer) throws -> Void) throws {
        let listener = Listener()
        // The client sends its request and waits, so the response must come from another thread.
        nonisolated(unsafe) let unsafeListener = listener
        nonisolated(unsafe) var peer: Peer?
        var thread = pthread_t()
        final class Box { let run: () -> Void; init(_ run: @escaping () -> Void) { self.run = run } }
        let box = Box {
            let accepted = unsafeListener.accept()
            let request = String(decoding: accepted.read(), as: UTF8.self)
            let key = request.split(separator: "Sec-WebSocket-Key: ")[1].split(separator: "\r\n")[0]
            accepted.send(
                Self.answer + "Sec-WebSocket-Accept: \(WebSocketClient.acceptValue(for: String(key)))\r\n\r\n")
            accepted.send(bytes)
            if end { shutdown(accepted.descriptor, Int32(SHUT_WR)) }
            peer = accepted
        }
        pthread_create(
            &thread, nil,
            {
                Unmanaged<Box>.fromOpaque($0!).takeRetainedValue().run(); return nil
            },
            Unmanaged.passRetained(box).toOpaque())
        let client = try WebSocketClient.connect(port: listener.port)
        pthread_join(thread, nil)
        try body(client, peer!)
    }

    @Test("joins fragments, answers a ping between them, and returns the close code")
    func receives() throws {
        let bytes: [UInt8] = [0x01, 1, 0x61, 0x89, 2, 1, 2, 0x80, 1, 0x62, 0x82, 1, 9, 0x88, 4, 0x03, 0xE9, 0x6F, 0x6B]
        try withServer(sending: bytes) { client, peer in
            let (text, binary) = (try client.receive(), try client.receiveBinary())
            let close = try client.expectClose()
            #expect(text == .text("ab") && binary == [9] && close == (1001, "ok"))
            var got: [UInt8] = []
            while got.count < 16 { got += peer.read() }
            #expect(got.prefix(2) == [0x8A, 0x82] && got[8...9] == [0x88, 0x82])
        }
    }

    @Test(
        "refuses frames that a server may not send",
        arguments: [
            [0x81, 0x81, 0, 0, 0, 0, 0], [0xC1, 0], [0x83, 0], [0x80, 0], [0x09, 0], [0x81, 126, 0, 5],
            [0x81, 127, 0, 0, 0, 0, 0, 0, 255, 255], [0x81, 127, 255, 255, 255, 255, 255, 255, 255, 255],
            [0x81, 1, 0xFF], [0x88, 1, 3], [0x88, 2, 0x03, 0xED], [0x01, 0, 0x01, 0], [0x89, 126, 0, 126],
        ] as [[UInt8]])
    func violations(bytes: [UInt8]) throws {
        try withServer(sending: bytes) { client, _ in
            let error = #expect(throws: ClientError.self) { try client.receive() }
            guard case .violation = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test("returns all messages before the pong to its own ping")
    func receiveAll() throws {
        let mark = Array("mark 1".utf8)
        try withServer(sending: [0x81, 1, 0x61, 0x8A, UInt8(mark.count)] + mark, end: false) { client, _ in
            let messages = try client.receiveAll()
            #expect(messages == [.text("a")])
            client.socket.timeout = .milliseconds(10)
            #expect(throws: ClientError.self) { try client.receiveAll() }
        }
    }
}

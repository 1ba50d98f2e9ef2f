// Pushes to many compressed clients: one compression for all; and queues that count bytes on the wire.

import JSON
import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("Compressed broadcasts", .bounded)
struct BroadcastTests {
    /// Plain subscribers get it plain.
    @Test("a push is compressed once for the subscribers of all workers")
    func once() throws {
        try withServer(scripts: CompressionTests.news) { server in
            let plain = try server.connectOnEachWorker()
            let compressed = try (0..<20).map { _ in try server.connect(deflate: CompressionTests.offer) }
            for number in 1...10 {
                let text = "\(number) " + CompressionTests.text(4000)
                let path = ["/v1/channels/news/messages", "/v1/messages"][number % 2]
                let answer = try HTTPClient.once("POST", path, port: server.adminPort, body: text).json()
                #expect(answer["queued"] == 22)
                for client in plain { #expect(try client.receiveText() == text && !client.lastWasCompressed) }
                for client in compressed { #expect(try client.receiveText() == text && client.lastWasCompressed) }
            }
            #expect(try server.nodeState()["messagesDeflated"] == 10)
        }
    }

    @Test("compresses nothing without a subscriber that takes compression")
    func plainOnly() throws {
        try withServer(scripts: CompressionTests.news) { server in
            let plain = try server.connect()
            let text = CompressionTests.text(4000)
            _ = try HTTPClient.once("POST", "/v1/channels/news/messages", port: server.adminPort, body: text)
            #expect(try plain.receiveText() == text)
            #expect(try server.nodeState()["messagesDeflated"] == 0)
        }
    }

    @Test("each worker compresses a push once for all of a smaller window")
    func narrow() throws {
        try withServer(scripts: CompressionTests.news, configure: { $0.workers = 1 }) { server in
            let offers = [9, 12, 15].map { "permessage-deflate; server_max_window_bits=\($0)" }
            let clients = try (0..<12).map { try server.connect(deflate: offers[$0 % 3]) }
            for number in 1...3 {
                let text = "\(number) " + CompressionTests.text(10_000)
                _ = try HTTPClient.once("POST", "/v1/channels/news/messages", port: server.adminPort, body: text)
                for client in clients { #expect(try client.receiveText() == text && client.lastWasCompressed) }
            }
            #expect(try server.nodeState()["messagesDeflated"] == 9)
        }
    }

    @Test("messages for a slow client count with their compressed size")
    func queue() throws {
        try withServer(scripts: CompressionTests.news, configure: { $0.websocket.maxQueue = 64 << 10 }) { server in
            let slow = try server.connect(deflate: CompressionTests.offer, receiveBuffer: 4096)
            let admin = HTTPClient(port: server.adminPort, timeout: .seconds(10))
            let texts = (1...60).map { "\($0) " + String(repeating: "n", count: 500_000) }
            for text in texts {
                let answer = try admin.request("POST", "/v1/channels/news/messages", body: text).json()
                #expect(answer["queued"] == 1)
            }
            for text in texts { #expect(try slow.receiveText() == text) }
            #expect(try server.closes(for: "slow_consumer") == 0)
        }
    }
}

// The cost of compression for a connection that has used it and is silent now.

import JSON
import PerigeeTestKit
import Server
import Testing

@Suite("Memory of compressed connections", .bounded)
struct IdleMemoryTests {
    private static let count = 200

    /// It has sent and received compressed messages.
    @Test("an idle client with compression costs as much as a plain one")
    func idle() throws {
        let echo = "function onMessage(conn, message) conn:send(message) end"
        let server = try PerigeeProcess(scripts: ["main.lua": echo])
        var clients = try open(server, deflate: nil)
        // The first compressed message makes what a worker keeps for all; so many clients are on both workers.
        clients += try open(server, deflate: CompressionTests.offer, count: 24)
        let start = try memory(server)
        clients += try open(server, deflate: nil)
        let plain = try memory(server) - start
        clients += try open(server, deflate: CompressionTests.offer)
        let compressed = try memory(server) - start - plain
        // A zlib window alone is 32 KiB. Memory comes in pages and from several heaps, hence the slack.
        #expect(compressed < plain + Self.count * 1024, "\(plain) plain, \(compressed) compressed")
        #expect(clients.count == 3 * Self.count + 24)
    }

    private func open(_ server: PerigeeProcess, deflate: String?, count: Int = count) throws -> [WebSocketClient] {
        try (0..<count).map { _ in
            let client = try WebSocketClient.connect(port: server.clientPort, deflate: deflate, timeout: .seconds(10))
            let text = CompressionTests.text(2000)
            if deflate == nil { try client.send(text) } else { try client.sendCompressed(text) }
            #expect(try client.receiveText() == text && client.lastWasCompressed == (deflate != nil))
            return client
        }
    }

    private func memory(_ server: PerigeeProcess) throws -> Int {
        try #require(HTTPClient.once("GET", "/v1/node", port: server.adminPort).json()["memoryBytes"]?.int)
    }
}

import PerigeeTestKit
import SeededGenerator
import Server
import Testing

@Suite("Keys of the compression", .bounded)
struct CompressionKeyTests {
    private static let scripts = [
        "main.lua": "function onMessage(conn, message, binary) conn:send(message, binary) end"
    ]

    /// The payload's size on the wire with each value of the key.
    private func sizes(_ key: String, _ values: [String], of message: [UInt8]) throws -> [Int] {
        try values.map { value in
            var size = 0
            try withServer(keys: [key: value], scripts: Self.scripts) { server in
                let client = try server.connect(deflate: CompressionTests.offer)
                try client.send(message)
                size = try client.receiveFrame().payload.count
            }
            return size
        }
    }

    @Test("a message below compression.threshold is sent as it is")
    func threshold() throws {
        let message = [UInt8](repeating: UInt8(ascii: "a"), count: 5000)
        let sizes = try sizes("compression.threshold", ["10 KiB", "1 KiB"], of: message)
        #expect(sizes[0] == 5000 && sizes[1] < 500)
    }

    @Test("compression.level 9 makes messages smaller than 1")
    func level() throws {
        var generator = SeededGenerator(seed: 1)
        let message = (0..<8000).map { _ in UInt8.random(in: 97...100, using: &generator) }
        let sizes = try sizes("compression.level", ["9", "1"], of: message)
        #expect(sizes[0] < sizes[1] && sizes[1] < message.count, "\(sizes)")
    }

    @Test("a repetition farther away than 2 to compression.windowBits is not found")
    func windowBits() throws {
        var generator = SeededGenerator(seed: 2)
        let noise = (0..<4000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let sizes = try sizes("compression.windowBits", ["9", "15"], of: noise + noise)
        #expect(sizes[0] == 8000 && sizes[1] < 5000)
    }
}

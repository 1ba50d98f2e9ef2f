// Clients that send more than they may: held back without losing a message, or closed.

import JSON
import PerigeeTestKit
import SeededGenerator
import Settings
import Testing

@testable import Server

@Suite("Limits of rates", .bounded)
struct RateLimitTests {
    private static func seconds(_ body: () throws -> Void) rethrows -> Double {
        try ContinuousClock().measure(body) / .seconds(1)
    }

    private static func limit(
        _ policy: Configuration.Limits.RatePolicy, messages: Int = 0, bytes: Int = 0
    ) -> (inout Configuration) -> Void {
        { configuration in
            configuration.limits.messagesPerSecond = messages
            configuration.limits.bytesPerSecond = bytes
            configuration.limits.burst = .seconds(1)
            configuration.limits.ratePolicy = policy
        }
    }

    /// All of them, and the Close behind them.
    @Test("delay: messages beyond the rate are handled later and in order")
    func delaysMessages() throws {
        try withServer(configure: Self.limit(.delay, messages: 30)) { server in
            let client = try server.connect("/echo")
            let texts = (0..<60).map { "message \($0)" }
            let stream = texts.flatMap { ClientFrame.text($0).bytes } + ClientFrame.close(code: 1000).bytes
            let seconds = try Self.seconds {
                try client.socket.send(stream)
                for text in texts { #expect(try client.receiveText() == text) }
                #expect(try client.expectClose().code == 1000)
            }
            #expect(seconds > 0.9, "30 at once, 30 in the second that follows")
            #expect((try server.nodeState()["readsDelayed"]?.int ?? 0) >= 1)
            #expect(try server.closes(for: "rate_exceeded") == 0)
        }
    }

    @Test("delay: a connection that is held back does not hold back others")
    func othersGoOn() throws {
        try withServer(configure: {
            Self.limit(.delay, messages: 5)(&$0); $0.workers = 1
        }) { server in
            let greedy = try server.connect("/echo")
            try greedy.socket.send((0..<500).flatMap { ClientFrame.text("\($0)").bytes })
            for number in 0..<5 { #expect(try greedy.receiveText() == "\(number)") }
            let modest = try server.connect("/echo")
            for number in 0..<5 {
                try modest.send("\(number)")
                #expect(try modest.receiveText() == "\(number)")
            }
            #expect((try server.nodeState()["messagesIn"]?.int ?? 0) < 100)
        }
    }

    /// Also in messages larger than the burst.
    @Test("delay: bytes beyond the rate are read later")
    func delaysBytes() throws {
        try withServer(configure: Self.limit(.delay, bytes: 40_000)) { server in
            let client = try server.connect("/echo")
            let texts =
                ["a", "b", "c"].map { String(repeating: $0, count: 10_000) } + [String(repeating: "d", count: 60_000)]
            let seconds = try Self.seconds {
                try client.socket.send(texts.flatMap { ClientFrame.text($0).bytes })
                for text in texts { #expect(try client.receiveText() == text) }
            }
            // Over TLS a record of 16 KiB may be waiting for its end, and comes with the read that brings it.
            let least = server.isSecure ? 0.4 : 0.8
            #expect(seconds > least, "40,000 at once, 50,000 at 40,000 a second, one read of 16 KiB on credit")
            #expect((try server.nodeState()["readsDelayed"]?.int ?? 0) >= 1)
        }
    }

    @Test("delay: nothing is lost, doubled or reordered at any size and split", arguments: 0..<2)
    func fuzz(_ seed: Int) throws {
        try withServer(configure: Self.limit(.delay, messages: 150, bytes: 100_000)) { server in
            var generator = SeededGenerator(seed: UInt64(seed))
            let client = try server.connect("/echo")
            let texts = (0..<300).map { number in
                "\(number) " + String(repeating: "x", count: Int.random(in: 0...600, using: &generator))
            }
            var stream = texts.flatMap { ClientFrame.text($0).bytes }[...]
            var received = 0
            while !stream.isEmpty {
                let size = min(stream.count, Int.random(in: 1...9_000, using: &generator))
                try client.socket.send(Array(stream.prefix(size)))
                stream = stream.dropFirst(size)
            }
            for text in texts where try client.receiveText() == text { received += 1 }
            #expect(received == texts.count)
        }
    }

    @Test("delay: a connection closed while held back has its closing handshake")
    func closedWhileHeldBack() throws {
        let script = """
            function onOpen(conn) conn:send(conn.id) end
            function onMessage(conn, message) conn:send(message) end
            """
        try withServer(scripts: ["main.lua": script], configure: Self.limit(.delay, messages: 2)) { server in
            let client = try Client(server)
            try client.socket.socket.send((0..<5_000).flatMap { ClientFrame.text("\($0)").bytes })
            #expect(try client.socket.receiveText() == "0")
            #expect(try server.ask("DELETE", "/v1/connections/\(client.id)?code=4000&reason=bye").status == 200)
            #expect(try client.socket.expectClose(skippingMessages: true) == (4000, "bye"))
            try server.eventually("it is gone") { try server.nodeState()["connections"] == 0 }
            #expect(try server.closes(for: "close_timeout") == 0)
        }
    }

    /// It is not handled; those before it are.
    @Test("close: the message beyond the rate closes with 1008")
    func closesForMessages() throws {
        try withServer(configure: Self.limit(.close, messages: 10)) { server in
            let client = try server.connect("/echo")
            try client.socket.send((0..<12).flatMap { ClientFrame.text("\($0)").bytes })
            for number in 0..<10 { #expect(try client.receiveText() == "\(number)") }
            #expect(try client.expectClose() == (1008, "too many messages or bytes"))
            #expect(try server.closes(for: "rate_exceeded") == 1)
        }
    }

    @Test("close: a Close frame after as many messages as allowed is answered")
    func closeIsNoMessage() throws {
        try withServer(configure: Self.limit(.close, messages: 10)) { server in
            let client = try server.connect("/echo")
            let messages = (0..<10).flatMap { ClientFrame.text("\($0)").bytes }
            try client.socket.send(messages + ClientFrame.close(code: 1000).bytes)
            #expect(try client.expectClose(skippingMessages: true).code == 1000)
        }
    }

    @Test("close: bytes beyond the rate close with 1008", arguments: [[40_000], [10_000, 10_000, 10_000]])
    func closesForBytes(sizes: [Int]) throws {
        try withServer(configure: Self.limit(.close, bytes: 20_000)) { server in
            let client = try server.connect("/echo")
            for size in sizes { try client.send([UInt8](repeating: 1, count: size)) }
            #expect(try client.expectClose(skippingMessages: true).code == 1008)
            #expect(try server.closes(for: "rate_exceeded") == 1)
        }
    }

    /// A flood of them is held back or closed.
    @Test(
        "pings and pongs count as messages", arguments: [9, 10] as [UInt8])
    func controlFrames(opcode: UInt8) throws {
        let flood = (0..<100).flatMap { _ in ClientFrame(opcode: opcode, payload: [1]).bytes }
        try withServer(configure: Self.limit(.close, messages: 20)) { server in
            let client = try server.connect("/echo")
            try client.socket.send(flood)
            #expect(try client.expectClose(skippingMessages: true).code == 1008)
        }
        try withServer(configure: Self.limit(.delay, messages: 80)) { server in
            let client = try server.connect("/echo")
            try client.socket.send(flood + ClientFrame.text("behind them").bytes)
            while try client.receive() != .text("behind them") {}
            #expect((try server.nodeState()["readsDelayed"]?.int ?? 0) >= 1)
        }
    }
}

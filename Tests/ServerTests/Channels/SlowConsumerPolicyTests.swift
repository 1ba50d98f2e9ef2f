// Channels whose slow subscribers lose messages instead of their connection: the lost messages, their order, and the answers.

import JSON
import PerigeeTestKit
import PubSub
import Server
import Settings
import Testing
import TimeBound

@Suite("Slow consumer policies", .bounded)
struct SlowConsumerPolicyTests {
    private static let scripts = [
        "main.lua": """
        function onOpen(conn)
            conn:subscribe(conn.query.channel)
            conn:send(conn.id)
        end
        function onMessage(conn, message) conn:send("direct " .. message) end
        """
    ]

    /// Runs `body` with numbered pushes to a channel of the policy, and one subscriber that reads only when told.
    private func withSlowClient(
        _ policy: SlowConsumerPolicy, _ body: (TestServer, WebSocketClient, NumberedPushes) throws -> Void
    ) throws {
        let rule = ChannelRules.Rule(try #require(ChannelPattern("feed.*")), slow: policy)
        try withServer(
            scripts: Self.scripts,
            configure: {
                ($0.websocket.maxQueue, $0.websocket.slowConsumers) = (256 << 10, ChannelRules([rule]))
            }
        ) { server in
            let slow = try server.connect("/?channel=feed.1", receiveBuffer: 4096)
            let pushes = NumberedPushes(on: server, slow: try slow.receiveText())
            try body(server, slow, pushes)
        }
    }

    /// Each push reports the drop.
    @Test("drop_newest: the client sees everything up to a gap")
    func dropNewest() throws {
        try withSlowClient(.dropNewest) { server, slow, pushes in
            try repeatUntil("five pushes are dropped") {
                try pushes.push()
                #expect(try pushes.queuedBytes() <= 256 << 10)
                return pushes.dropped >= 5
            }
            let arrived = pushes.count - 5
            for number in 1...arrived { #expect(try slow.receiveText() == NumberedPushes.text(number)) }
            try slow.send("?")
            #expect(try slow.receiveText() == "direct ?")
            #expect(try server.nodeState()["deliveriesDropped"] == 5)
            try pushes.push()
            #expect(try slow.receiveText() == NumberedPushes.text(pushes.count), "it is still subscribed")
        }
    }

    /// Each push reports how many older ones were dropped.
    @Test("drop_oldest: the client sees the newest")
    func dropOldest() throws {
        try withSlowClient(.dropOldest) { server, slow, pushes in
            try repeatUntil("20 pushes are displaced") {
                try pushes.push()
                #expect(try pushes.queuedBytes() <= 256 << 10)
                return pushes.displaced >= 20
            }
            #expect(pushes.dropped == 0)
            var numbers: [Int] = []
            try repeatUntil("the newest push comes") {
                numbers.append(try NumberedPushes.number(of: slow.receiveText()))
                return numbers.last == pushes.count
            }
            let gap = try #require(zip(numbers, numbers.dropFirst()).first { $0 + 1 != $1 })
            #expect(numbers == Array(1...gap.0) + Array(gap.1...pushes.count), "one gap, and nothing out of order")
            #expect(gap.1 - gap.0 - 1 == pushes.displaced)
            #expect(try server.nodeState()["deliveriesDisplaced"]?.int == pushes.displaced)
        }
    }

    /// The queue stays as small as the state.
    @Test("conflate: only the newest of each key waits")
    func conflate() throws {
        try withSlowClient(.conflate) { _, slow, pushes in
            try repeatUntil("50 pushes are displaced") {
                try pushes.push(key: pushes.count % 2 == 0 ? "even" : "odd")
                // The message that the socket holds in part, and one for each key.
                #expect(try pushes.queuedBytes() <= 5 * (16 << 10))
                return pushes.displaced >= 50
            }
            #expect(pushes.dropped == 0)
            var numbers: [Int] = []
            while numbers.count < pushes.count - pushes.displaced {
                numbers.append(try NumberedPushes.number(of: slow.receiveText()))
            }
            #expect(Set(numbers.suffix(2)) == [pushes.count - 1, pushes.count], "the last state of both keys")
            #expect(numbers.dropLast(2).elementsEqual(1...numbers.count - 2))
        }
    }

    /// A part of the state would mislead the client.
    @Test("conflate: a state larger than the queue closes the connection")
    func conflateTooMuch() throws {
        try withSlowClient(.conflate) { server, slow, pushes in
            try repeatUntil("a push is dropped") {
                try pushes.push(key: "\(pushes.count)")
                return pushes.dropped > 0
            }
            #expect(try slow.expectClose(skippingMessages: true) == (1013, "slow consumer"))
            #expect(try server.closes(for: "slow_consumer") == 1)
        }
    }

    @Test("a message for one client waits behind earlier publications")
    func orderIsKept() throws {
        try withSlowClient(.dropOldest) { server, slow, pushes in
            try pushes.fill(to: 64 << 10)
            _ = try HTTPClient.once(
                "POST", "/v1/connections/\(pushes.slow)/messages", port: server.adminPort, body: "alone")
            try pushes.push()
            for number in 1..<pushes.count { #expect(try slow.receiveText() == NumberedPushes.text(number)) }
            #expect(try slow.receiveText() == "alone")
            #expect(try slow.receiveText() == NumberedPushes.text(pushes.count))
        }
    }

    @Test("messages for one client behind publications keep websocket.maxQueue")
    func directIsBounded() throws {
        try withSlowClient(.dropOldest) { server, slow, pushes in
            try pushes.fill(to: 64 << 10)
            let admin = HTTPClient(port: server.adminPort, timeout: .seconds(10))
            let text = String(repeating: "d", count: 16 << 10)
            var queued = 0
            while try admin.request("POST", "/v1/connections/\(pushes.slow)/messages", body: text)
                .json()["queued"] == 1, queued < 100
            { queued += 1 }
            #expect(queued <= 16, "16 of them are as much as the queue may hold")
            #expect(try slow.expectClose(skippingMessages: true) == (1013, "slow consumer"))
        }
    }

    @Test("the Close frame comes after everything that waits")
    func closeComesLast() throws {
        try withSlowClient(.dropOldest) { server, slow, pushes in
            try pushes.fill(to: 64 << 10)
            _ = try HTTPClient.once(
                "DELETE", "/v1/connections/\(pushes.slow)?code=4001&reason=enough", port: server.adminPort)
            for number in 1...pushes.count { #expect(try slow.receiveText() == NumberedPushes.text(number)) }
            #expect(try slow.expectClose() == (4001, "enough"))
        }
    }
}

/// Numbered pushes of 16 KiB to the channel "feed.1", and their answers.
private final class NumberedPushes {
    /// The id of the client that is slow.
    let slow: String
    private(set) var count = 0
    private(set) var dropped = 0
    private(set) var displaced = 0
    private let admin: HTTPClient

    init(on server: TestServer, slow: String) {
        admin = HTTPClient(port: server.adminPort, timeout: .seconds(10))
        self.slow = slow
    }

    static func text(_ number: Int) -> String { "\(number) " + String(repeating: "n", count: 16 << 10) }

    static func number(of text: String) throws -> Int {
        guard let number = text.split(separator: " ").first.flatMap({ Int($0) }) else {
            throw ClientError.unexpected(String(text.prefix(40)))
        }
        return number
    }

    /// The kernel and a queue hold far less than the 48 MiB after which this gives up.
    func push(key: String? = nil) throws {
        count += 1
        guard count <= 3000 else { throw ClientError.unexpected("the client is not slow") }
        let query = key.map { "?key=\($0)" } ?? ""
        let answer = try admin.request("POST", "/v1/channels/feed.1/messages\(query)", body: Self.text(count)).json()
        guard answer["matched"]?.int == 1 else { throw ClientError.unexpected("nobody is subscribed") }
        dropped += answer["dropped"]?.int ?? 0
        displaced += answer["displaced"]?.int ?? 0
    }

    /// Pushes until so much waits for the client.
    func fill(to bytes: Int) throws {
        try repeatUntil("\(bytes) bytes wait") {
            try push()
            return try queuedBytes() >= bytes
        }
    }

    func queuedBytes() throws -> Int {
        try #require(try admin.request("GET", "/v1/connections/\(slow)").json()["queuedBytes"]?.int)
    }
}

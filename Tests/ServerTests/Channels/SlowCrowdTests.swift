// Very many slow clients at once: their queues together stay within the configured bound, and the clients that read get every
// message as if the slow ones were not there.

import JSON
import PerigeeTestKit
import PubSub
import Server
import Settings
import Testing

@Suite("A crowd of slow clients", .bounded(minutes: 10))
struct SlowCrowdTests {
    private static let scripts = [
        "main.lua": #"function onOpen(conn) conn:subscribe("feed"); conn:send("ready") end"#
    ]
    private static let crowd = 1_000
    private static let maxQueue = 16 << 10

    /// Half of a thousand clients stop reading, the others read a byte at a time. The healthy ones lose nothing.
    @Test(
        "500 silent and 500 slow readers keep every queue within its bound",
        arguments: SlowConsumerPolicy.allCases)
    func crowd(policy: SlowConsumerPolicy) throws {
        let rule = ChannelRules.Rule(try #require(ChannelPattern("*")), slow: policy)
        try withServer(
            scripts: Self.scripts,
            configure: {
                $0.websocket.maxQueue = Self.maxQueue
                $0.websocket.slowConsumers = ChannelRules([rule])
                $0.timeouts.close = .seconds(60)
            }
        ) { server in
            let slow = try (0..<Self.crowd).map { _ in try server.connect(receiveBuffer: 2048) }
            let healthy = try (0..<10).map { _ in try server.connect() }
            for client in healthy { #expect(try client.receiveText() == "ready") }
            let admin = HTTPClient(port: server.adminPort, timeout: .seconds(20))
            var lost = 0
            var pushes = 0
            while lost < Self.crowd, pushes < 400 {
                pushes += 1
                let text = "\(pushes) " + String(repeating: "f", count: 8 << 10)
                let answer = try admin.request("POST", "/v1/channels/feed/messages", body: text).json()
                lost += (answer["dropped"]?.int ?? 0) + (answer["displaced"]?.int ?? 0)
                for client in healthy { #expect(try client.receiveText() == text) }
                for client in slow.prefix(Self.crowd / 2) { client.socket.swallowByte() }
            }
            #expect(lost >= Self.crowd, "they are slow enough for the policy to matter")
            let list = try admin.request("GET", "/v1/connections?limit=1000").json()["items"]?.array ?? []
            // The policy "close" has closed the slow ones; under any other one they are there, and no page holds more of them.
            #expect(list.count >= (policy == .close ? healthy.count : 1000))
            let queued = try list.map { try #require($0["queuedBytes"]?.int) }
            #expect(queued.allSatisfy { $0 <= Self.maxQueue + (8 << 10) + 64 })
            #expect(policy == .close || queued.contains { $0 > 0 }, "somebody's messages wait")
        }
    }
}

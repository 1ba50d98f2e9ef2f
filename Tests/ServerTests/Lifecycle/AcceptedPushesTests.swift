// The promise of a stop: a push answered 200 by the admin API before the signal reaches every client that reads.

import EventLoop
import Glibc
import PerigeeTestKit
import Synchronization
import Testing

@Suite("Stop: no accepted push is lost", .bounded)
struct AcceptedPushesTests {
    private static let script = "function onOpen(conn) conn:subscribe('news') conn:send('open') end"

    /// Pushes numbered messages one after the other until the server is gone.
    private final class Pusher: Sendable {
        private let answered = Atomic<Int>(0)
        private let port: UInt16
        init(port: UInt16) { self.port = port }

        /// How many were answered with 200.
        var count: Int { answered.load(ordering: .sequentiallyConsistent) }

        func run() {
            let padding = String(repeating: "x", count: 5_000)
            let client = HTTPClient(port: port, timeout: .seconds(20))
            for number in 1... {
                guard
                    let answer = try? client.request(
                        "POST", "/v1/channels/news/messages", body: "\(number) \(padding)"), answer.status == 200
                else { return }
                answered.store(number, ordering: .sequentiallyConsistent)
            }
        }
    }

    /// At every client, in order.
    @Test(
        "every push answered before SIGTERM arrives before the close frame", arguments: 0..<3
    )
    func pushes(round: Int) throws {
        let perigee = try PerigeeProcess(
            scripts: ["main.lua": Self.script],
            environment: ["PERIGEE_WEBSOCKET_MAX_QUEUE": "256 MiB", "PERIGEE_DRAIN_WINDOW": "\(round * 300)ms"])
        let clients = try (0..<60).map { index in
            try WebSocketClient.connect(
                port: perigee.clientPort, timeout: .seconds(20), receiveBuffer: index % 3 == 0 ? 4096 : nil)
        }
        for client in clients { #expect(try client.receiveText() == "open") }
        let pusher = Pusher(port: perigee.adminPort)
        let pushing = LoopThread(name: "pushing") { pusher.run() }
        let deadline = ContinuousClock.now + .seconds(60)
        while pusher.count < 100, ContinuousClock.now < deadline { sched_yield() }
        try #require(pusher.count >= 100)
        let accepted = pusher.count
        perigee.process.signal(SIGTERM)
        for client in clients {
            var last = 0
            loop: while true {
                switch try client.receive() {
                case .text(let text):
                    let number = try #require(text.split(separator: " ").first.flatMap { Int($0) })
                    #expect(number == last + 1)
                    last = number
                case .close(let code, let reason):
                    #expect(DrainingTests.hint((code, reason)) != nil)
                    break loop
                case let other:
                    throw ClientError.unexpected("\(other)")
                }
            }
            #expect(last >= accepted, "\(accepted) were accepted, the client has \(last)")
        }
        #expect(try perigee.process.wait() == 0)
        pushing.join()
    }
}

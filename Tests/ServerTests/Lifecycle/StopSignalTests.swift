// Signals to the program while it stops.

import Glibc
import PerigeeTestKit
import Testing
import TimeBound

@Suite("Stop: signals", .bounded)
struct StopSignalTests {
    private static let script = """
        function onOpen(conn) conn:send("open") end
        function onMessage(conn, message)
            conn:send("stuck")
            if message == "loop" then while true do end end
        end
        """

    /// Throws what the client sees when it is cut off.
    private static func readToEnd(_ client: WebSocketClient) throws {
        try repeatUntil("the client is cut off") {
            _ = try client.receive()
            return false
        }
    }

    @Test("a second signal ends a drain at once, with 0", arguments: [SIGTERM, SIGINT])
    func second(signal: Int32) throws {
        let perigee = try PerigeeProcess(
            scripts: ["main.lua": Self.script], environment: ["PERIGEE_DRAIN_WINDOW": "1h", "PERIGEE_WORKERS": "1"])
        let clients = try (0..<40).map { _ in
            try WebSocketClient.connect(port: perigee.clientPort, timeout: .seconds(20))
        }
        for client in clients { #expect(try client.receiveText() == "open") }
        perigee.process.signal(SIGTERM)
        #expect(DrainingTests.hint(try clients[0].expectClose()) != nil)
        let (status, time) = try perigee.end(with: signal)
        #expect(status == 0 && time < .seconds(2), "\(time)")
        _ = try perigee.process.errorLine(containing: "connections are cut off")
        #expect(throws: ClientError.self) { try Self.readToEnd(clients[39]) }
    }

    /// A server with clients that do not all end in the first batch and a window of so long, which the admin API has told to drain over an hour.
    private func draining(window: String) throws -> (perigee: PerigeeProcess, clients: [WebSocketClient]) {
        let perigee = try PerigeeProcess(
            scripts: ["main.lua": Self.script], environment: ["PERIGEE_DRAIN_WINDOW": window])
        let clients = try (0..<300).map { _ in
            try WebSocketClient.connect(port: perigee.clientPort, timeout: .seconds(20))
        }
        for client in clients { #expect(try client.receiveText() == "open") }
        let answer = try HTTPClient.once(
            "POST", "/v1/drain?over=1h", port: perigee.adminPort, timeout: .seconds(20))
        #expect(answer.status == 202)
        return (perigee, clients)
    }

    /// Every client gets 1012 within it.
    @Test("the first signal shortens a drain of the admin API to drain.window")
    func firstAfterDrain() throws {
        let (perigee, clients) = try draining(window: "1s")
        perigee.process.signal(SIGTERM)
        // The signal has shortened the drain of an hour, and nothing else has.
        _ = try perigee.process.errorLine(containing: "cause=SIGTERM")
        for client in clients { #expect(DrainingTests.hint(try client.expectClose()) != nil) }
        #expect(try perigee.process.wait() == 0)
        #expect(try !perigee.process.readErrorsToEnd().contains("cut off"))
    }

    @Test("the second signal in a drain that the admin API began ends it at once")
    func secondAfterDrain() throws {
        let (perigee, clients) = try draining(window: "1h")
        perigee.process.signal(SIGTERM)
        _ = try perigee.process.errorLine(containing: "cause=SIGTERM")
        let (status, time) = try perigee.end(with: SIGTERM)
        #expect(status == 0 && time < .seconds(2), "\(time)")
        #expect(throws: ClientError.self) { try Self.readToEnd(clients[29]) }
    }

    @Test("SIGHUP during a drain changes nothing")
    func reload() throws {
        let perigee = try PerigeeProcess(scripts: ["main.lua": Self.script])
        let clients = try (0..<30).map { _ in
            try WebSocketClient.connect(port: perigee.clientPort, timeout: .seconds(20))
        }
        perigee.process.signal(SIGTERM)
        perigee.process.signal(SIGHUP)
        for client in clients { #expect(DrainingTests.hint(try client.expectClose(skippingMessages: true)) != nil) }
        #expect(try perigee.process.wait() == 0)
    }

    /// The log names the thread.
    @Test("an endless script without a budget ends the stop with exit code 5")
    func stuck() throws {
        let perigee = try PerigeeProcess(
            scripts: ["main.lua": Self.script], environment: ["PERIGEE_SCRIPTS_BUDGET": "1h"])
        let client = try WebSocketClient.connect(port: perigee.clientPort, timeout: .seconds(20))
        _ = try client.receiveText()
        try client.send("loop")
        perigee.process.signal(SIGTERM)
        _ = try perigee.process.errorLine(containing: "stopping")
        let (status, time) = try perigee.end(with: SIGTERM)
        // A sanitizer has a status of its own for threads that are left behind.
        #expect((status == 5 || Sanitizer.isActive) && time < .seconds(10))
        #expect(try perigee.process.errorLine(containing: "left behind").contains("worker("))
    }
}

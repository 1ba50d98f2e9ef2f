// The messages to the service manager.

import Glibc
import PerigeeTestKit
import Testing
import TimeBound

@testable import Server

@Suite("Service manager", .bounded)
struct NotifyTests {
    private static let script = """
        function onMessage(conn, message)
            conn:send("stuck")
            while not kv.get("free") do end
        end
        function onRequest(request) kv.set("free", true) end
        """

    @Test("gets a message when the server serves, reloads and stops", arguments: [false, true])
    func life(isAbstract: Bool) throws {
        let manager = try NotifySocket(isAbstract: isAbstract)
        let perigee = try PerigeeProcess(
            scripts: ["main.lua": Self.script],
            environment: ["NOTIFY_SOCKET": manager.name, "PERIGEE_DRAIN_WINDOW": "1s", "PERIGEE_TIMEOUTS_STOP": "2s"])
        #expect(manager.next() == ["READY=1", "STATUS=serving"])
        perigee.process.signal(SIGHUP)
        let reloading = try #require(manager.next())
        #expect(reloading.first == "RELOADING=1" && reloading.last?.hasPrefix("MONOTONIC_USEC=") == true)
        #expect(manager.next() == ["READY=1", "STATUS=scripts version 2"])
        #expect(try perigee.end(with: SIGTERM).status == 0)
        #expect(manager.next() == ["STOPPING=1", "STATUS=draining", "EXTEND_TIMEOUT_USEC=11000000"])
        #expect(manager.next(within: 0) == nil)
    }

    /// And again when the worker is free.
    @Test("notifies the watchdog twice in its time unless a worker is stuck")
    func watchdog() throws {
        let manager = try NotifySocket(isAbstract: false)
        let perigee = try PerigeeProcess(
            scripts: ["main.lua": Self.script],
            environment: [
                "NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "200000", "PERIGEE_SCRIPTS_BUDGET": "1h",
            ])
        #expect(manager.next() == ["READY=1", "STATUS=serving"])
        let start = ContinuousClock.now
        for _ in 0..<8 { #expect(manager.next() == ["WATCHDOG=1"]) }
        // The first comes at once, the others every tenth of a second.
        #expect(start.duration(to: .now) >= .milliseconds(500))
        let client = try WebSocketClient.connect(port: perigee.clientPort, timeout: .seconds(20))
        try client.send("block")
        // The handler runs once its message is taken: then the thread answers nothing more.
        try repeatUntil("there is no sign of life for a second") { manager.next(within: 1_000) == nil }
        #expect(try HTTPClient.once("GET", "/healthz", port: perigee.adminPort).status == 200)
        // The workers take turns with calls, so that one of two reaches the other worker and frees the first.
        let calls = try (0..<2).map { _ in try RawSocket.connect(port: perigee.adminPort, timeout: .seconds(20)) }
        for call in calls {
            try call.send("POST /v1/call/main HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
        }
        #expect(manager.next() == ["WATCHDOG=1"])
        #expect(try client.receiveText() == "stuck")
        #expect(try perigee.end(with: SIGTERM).status == 0)
    }

    @Test("a watchdog that is meant for another process is not answered")
    func foreignWatchdog() throws {
        let manager = try NotifySocket(isAbstract: false)
        let perigee = try PerigeeProcess(
            scripts: ["main.lua": Self.script],
            environment: ["NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "20000", "WATCHDOG_PID": "1"])
        #expect(manager.next() == ["READY=1", "STATUS=serving"])
        #expect(manager.next(within: 200) == nil)
        #expect(try perigee.end(with: SIGTERM).status == 0)
    }
}

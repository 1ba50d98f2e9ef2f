// SIGTERM while scripts have more to do than they ever will.

import Glibc
import PerigeeTestKit
import Testing

@Suite("Fair turns: the program stops", .bounded)
struct FairTurnStopTests {
    private static let waits = FairTurnTests.Flood(
        name: "handlers that wait and burn",
        start: "for i = 1, 5000 do server.spawn(function() while true do server.sleep(0.01) work() end end) end",
        cause: "main.lua:8", isEndless: true)

    @Test(
        "SIGTERM ends the program while deferred work has no end",
        arguments: FairTurnTests.floods.filter(\.isEndless) + [waits])
    func deferred(_ flood: FairTurnTests.Flood) throws {
        let perigee = try PerigeeProcess(
            scripts: ["main.lua": FairTurnTests.script(start: flood.start)], environment: ["PERIGEE_WORKERS": "1"])
        let client = try WebSocketClient.connect(port: perigee.clientPort, timeout: .seconds(20))
        try client.send("start")
        #expect(try client.receiveText() == "started")
        for _ in 0..<20 {
            try client.send("echo")
            _ = try client.receiveText()
        }
        perigee.process.signal(SIGTERM)
        #expect(try client.expectClose().code == 1012)
        #expect(try perigee.process.wait() == 0)
    }

    @Test("SIGTERM ends the program under a flood of expensive messages")
    func messages() throws {
        let perigee = try PerigeeProcess(
            scripts: ["main.lua": FairTurnTests.script()], environment: ["PERIGEE_WORKERS": "1"])
        let client = try WebSocketClient.connect(port: perigee.clientPort, timeout: .seconds(20))
        let attacker = try WebSocketClient.connect(port: perigee.clientPort, timeout: .seconds(20))
        let burns = (0..<3_000).flatMap { _ in ClientFrame.text("burn").bytes }
        try attacker.socket.send(burns)
        try client.send("echo")
        _ = try client.receiveText()
        perigee.process.signal(SIGTERM)
        #expect(try client.expectClose().code == 1012)
        #expect(try attacker.expectClose().code == 1012)
        #expect(try perigee.process.wait() == 0)
    }
}

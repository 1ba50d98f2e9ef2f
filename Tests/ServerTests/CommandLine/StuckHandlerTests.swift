// The watchdog and a function of C that does not ask whether it is killed. There is none but `stick`, which debug builds have
// for this.

import Glibc
import PerigeeTestKit
import Testing

@Suite(
    "Command line: a handler that cannot be killed",
    .enabled(if: getenv("PERIGEETEST_PROGRAM") == nil, "a release build has no function that cannot be killed"),
    .bounded)
struct StuckHandlerTests {
    private static let main = """
        local function inner(how) stick(1.5, how) end
        function onMessage(conn, message)
          if message ~= "next" then inner(message) end
          conn:send("done")
        end
        """

    private func start(onStuck: String) throws -> PerigeeProcess {
        try PerigeeProcess(
            scripts: ["main.lua": Self.main],
            environment: [
                "PERIGEETEST_STICK": "1", "PERIGEE_SCRIPTS_STUCK_AFTER": "100ms", "PERIGEE_SCRIPTS_BUDGET": "20ms",
                "PERIGEE_SCRIPTS_ON_STUCK": onStuck,
            ])
    }

    /// The place is one in Lua as long as the stack stands still.
    @Test(
        "is reported with its place and killed when its C call ends",
        arguments: [
            ("stick", ["[C]: in ", "main.lua:1: in upvalue 'inner'", "native:", "liblua"]),
            ("late", ["[C]: in ", "main.lua:1: in upvalue 'inner'", "native:", "liblua"]),
            ("library", ["not known: Lua's library is at work", "native:", "liblua"]),
        ])
    func reports(message: String, place: [String]) throws {
        let perigee = try start(onStuck: "log")
        let client = try WebSocketClient.connect(port: perigee.clientPort)
        try client.send(message)
        let line = try perigee.process.errorLine(containing: "a handler does not end although it was killed")
        #expect(line.contains("critical"))
        // A sanitizer stands between Lua's library and the functions that it calls, and looks like the program's own code.
        for part in place where !Sanitizer.isActive { _ = try perigee.process.errorLine(containing: part) }
        #expect(try perigee.process.errorLine(containing: "killed: it used more").contains("main.lua"))
        try client.send("next")
        #expect(try client.receiveText() == "done")
        let metrics = try HTTPClient.once("GET", "/metrics", port: perigee.adminPort).text
        #expect(metrics.contains("perigee_handlers_stuck_total 1"))
        #expect(try perigee.end(with: SIGTERM).status == 0)
    }

    @Test("ends the process by SIGABRT if so configured, after it was reported")
    func aborts() throws {
        let perigee = try start(onStuck: "abort")
        let client = try WebSocketClient.connect(port: perigee.clientPort)
        try client.send("stick")
        _ = try perigee.process.errorLine(containing: "a handler does not end although it was killed")
        _ = try perigee.process.errorLine(containing: "'stick'")
        #expect(try perigee.process.wait() == 128 + SIGABRT)
    }
}

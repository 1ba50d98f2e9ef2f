// The program, when nobody reads its standard error.

import Glibc
import JSON
import PerigeeTestKit
import Testing

@Suite("A log without a reader", .bounded)
struct StalledLogTests {
    /// "N" logs N entries of a kilobyte; any other message is answered alone.
    private static let script = """
        local kilobyte = ("x"):rep(1000)
        function onMessage(conn, message)
            for i = 1, tonumber(message) or 0 do log.info(i .. " " .. kilobyte) end
            conn:send("answer to " .. message)
        end
        """

    private func start() throws -> PerigeeProcess {
        try PerigeeProcess(
            scripts: ["main.lua": Self.script],
            environment: ["PERIGEE_LOG_MAX_QUEUE": "1 MiB", "PERIGEE_SCRIPTS_BUDGET": "30s"])
    }

    @Test("workers, admin API and stop go on and dropped entries are counted")
    func goesOn() throws {
        let perigee = try start()
        let clients = try (0..<4).map { _ in
            try WebSocketClient.connect(port: perigee.clientPort, timeout: .seconds(20))
        }
        for client in clients { try client.send("2000") }
        for client in clients { #expect(try client.receiveText() == "answer to 2000") }
        let node = try HTTPClient.once("GET", "/v1/node", port: perigee.adminPort, timeout: .seconds(20)).json()
        #expect(try #require(node["logEntriesDropped"]?.int) > 4_000)
        let reloaded = try HTTPClient.once("POST", "/v1/scripts/reload", port: perigee.adminPort, timeout: .seconds(20))
        #expect(reloaded.status == 200)
        let metrics = try HTTPClient.once("GET", "/metrics", port: perigee.adminPort, timeout: .seconds(20))
        #expect(metrics.text.contains("\nperigee_log_entries_dropped_total "))
        for client in clients { client.socket.close() }
        let (status, time) = try perigee.end(with: SIGTERM)
        #expect(status == 0 && time < .seconds(10), "\(time)")
    }

    @Test(
        "a crash waits for the log no longer than a second",
        .enabled(if: !Sanitizer.isActive, "a sanitizer writes its report to the reader that has stalled"))
    func crash() throws {
        let perigee = try start()
        let client = try WebSocketClient.connect(port: perigee.clientPort, timeout: .seconds(20))
        try client.send("2000")
        #expect(try client.receiveText() == "answer to 2000")
        let (status, time) = try perigee.end(with: SIGSEGV)
        #expect(status == 128 + SIGSEGV)
        #expect(time < .seconds(5), "\(time)")
    }

    @Test(
        "a crash writes the queued lines to a live reader",
        arguments: [SIGSEGV, SIGILL, SIGTRAP, SIGABRT])
    func flushedAtCrash(signal: Int32) throws {
        try expectLastLine {
            let perigee = try start()
            let client = try WebSocketClient.connect(port: perigee.clientPort, timeout: .seconds(20))
            // More than the pipe takes, and less than pipe and queue together.
            try client.send("1100")
            #expect(try client.receiveText() == "answer to 1100")
            perigee.process.signal(signal)
            let log = try perigee.process.readErrorsToEnd()
            #expect(try perigee.process.wait() == 128 + signal || Sanitizer.isActive)
            return log
        }
    }

    /// The process waits a second for a reader of its log. A test's reader on a busy machine may be later, but not always.
    private func expectLastLine(in crash: () throws -> String) throws {
        for _ in 0..<3 where try crash().contains(" 1100 x") { return }
        Issue.record("the last line was not written")
    }

    @Test(
        "a thread's fault and a used-up stack write the queued lines",
        .enabled(if: getenv("PERIGEETEST_PROGRAM") == nil, "a release build has no function that crashes"),
        arguments: [("overflow", SIGSEGV), ("trap", SIGILL), ("panic", SIGABRT)])
    func flushedAtFault(how: String, signal: Int32) throws {
        let script = """
            local kilobyte = ("x"):rep(1000)
            function onMessage(conn, how)
                for i = 1, 1100 do log.info(i .. " " .. kilobyte) end
                crash(how)
            end
            """
        try expectLastLine {
            let perigee = try PerigeeProcess(
                scripts: ["main.lua": script],
                environment: [
                    "PERIGEE_LOG_MAX_QUEUE": "4 MiB", "PERIGEE_SCRIPTS_BUDGET": "30s", "PERIGEETEST_STICK": "1",
                ])
            let client = try WebSocketClient.connect(port: perigee.clientPort, timeout: .seconds(20))
            try client.send(how)
            let log = try perigee.process.readErrorsToEnd()
            #expect(try [128 + signal, 128 + SIGTRAP].contains(perigee.process.wait()) || Sanitizer.isActive)
            return log
        }
    }

    @Test("no thread of the program blocks the signals of a crash")
    func signalsOfThreads() throws {
        let perigee = try start()
        let client = try WebSocketClient.connect(port: perigee.clientPort, timeout: .seconds(20))
        try client.send("1")
        #expect(try client.receiveText() == "answer to 1")
        let line = "for t in /proc/\(perigee.process.pid)/task/*; do cat $t/comm; grep SigBlk $t/status; done"
        let words = try ChildProcess.shell(line).output.split { $0 == "\n" || $0 == "\t" }.map(String.init)
        let crashes = [SIGSEGV, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE].reduce(UInt64(0)) { $0 | 1 << UInt64($1 - 1) }
        var names: [String] = []
        for (name, mask) in zip(words, words.dropFirst(2)) where mask.count == 16 && name.hasPrefix("perigee") {
            names.append(name)
            #expect(try #require(UInt64(mask, radix: 16)) & crashes == 0, "\(name)")
        }
        #expect(Set(names).isSuperset(of: ["perigee", "perigee-watch", "perigee-log", "perigee-0", "perigee-life"]))
    }

    @Test("the gap is said before the process ends")
    func gapAtExit() throws {
        let perigee = try start()
        let client = try WebSocketClient.connect(port: perigee.clientPort, timeout: .seconds(20))
        try client.send("4000")
        #expect(try client.receiveText() == "answer to 4000")
        client.socket.close()
        perigee.process.signal(SIGTERM)
        let log = try perigee.process.readErrorsToEnd()
        #expect(log.contains(" 1 x") && log.contains("log entries were dropped"))
        #expect(try perigee.process.wait() == 0)
    }

    @Test("an error message that nobody reads does not keep a command running")
    func unreadError() throws {
        let line = "{ head -c 65536 /dev/zero; PERIGEE_WORKERS=none exec \(PerigeeProgram.path); } >&2"
        let shell = try ChildProcess.start("/bin/sh", ["-c", line], timeout: .seconds(20))
        #expect(try shell.wait() == 2)
    }

    @Test("the end of the process writes the queued lines to a live reader")
    func flushedAtExit() throws {
        let perigee = try start()
        let client = try WebSocketClient.connect(port: perigee.clientPort, timeout: .seconds(20))
        try client.send("1100")
        #expect(try client.receiveText() == "answer to 1100")
        client.socket.close()
        perigee.process.signal(SIGTERM)
        let log = try perigee.process.readErrorsToEnd()
        #expect(log.contains(" 1100 x") && log.contains("stopping"))
        #expect(try perigee.process.wait() == 0)
    }
}

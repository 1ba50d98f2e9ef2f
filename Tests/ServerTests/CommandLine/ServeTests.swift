// `perigee serve` as a process: its first lines, its signals, and its end.

import Glibc
import JSON
import PerigeeTestKit
import Testing

@Suite("Command line: serve", .bounded)
struct ServeTests {
    private static let main = ReloadScripts.saying("old")

    /// The ports in use, and every script with its path.
    @Test(
        "the start-up lines name ports, scripts and a working curl line",
        .plainOnly(
            "curl does not know the tests' authority; CertificateStartTests reads the lines of a server with TLS"))
    func announcement() throws {
        let lobby = Self.main.replacing("\"news\"", with: "\"lobby\"")
        let perigee = try PerigeeProcess(scripts: ["main.lua": lobby, "games/chess.lua": Self.main])
        #expect(perigee.announcement.contains { $0.hasSuffix("games/chess.lua serves /games/chess") })
        #expect(perigee.announcement.contains { $0.contains("main.lua serves ") })
        #expect(perigee.announcement.contains { $0.hasSuffix("demo page  http://127.0.0.1:\(perigee.clientPort)/") })
        #expect(
            try HTTPClient.once("GET", "/", port: perigee.clientPort).text.contains("127.0.0.1:\(perigee.adminPort)"))
        let chess = try WebSocketClient.connect(port: perigee.clientPort, path: "/games/chess")
        let client = try WebSocketClient.connect(port: perigee.clientPort)
        let last = try #require(perigee.announcement.last)
        let curl = try #require(last.firstRange(of: "curl"))
        let pushed = try ChildProcess.shell(String(last[curl.lowerBound...]), timeout: .seconds(20))
        #expect(pushed.status == 0)
        #expect(try JSON(parsing: pushed.output)["matched"] == 1)
        #expect(try client.receiveText() == "hello")
        #expect(try chess.receiveAll() == [])
        #expect(try perigee.end(with: SIGTERM).status == 0)
    }

    /// Broken ones keep the old, and standard error says where.
    @Test("SIGHUP loads the scripts anew")
    func hangUpSignal() throws {
        let perigee = try PerigeeProcess(
            scripts: ["main.lua": Self.main], environment: ["PERIGEE_SCRIPTS_WATCH": "false"])
        let client = try WebSocketClient.connect(port: perigee.clientPort)
        try perigee.folder.write(ReloadScripts.saying("new"), to: "main.lua")
        perigee.process.signal(SIGHUP)
        let line = try perigee.process.errorLine(containing: "scripts reloaded")
        #expect(line.contains("cause=signal") && line.contains("version=2") && line.contains("changed=main.lua"))
        try client.send("a")
        #expect(try client.receiveText() == "new 1 v2 a")
        try perigee.folder.write("oops", to: "main.lua")
        perigee.process.signal(SIGHUP)
        #expect(try perigee.process.errorLine(containing: "scripts not reloaded").contains("main.lua:1: "))
        try client.send("b")
        #expect(try client.receiveText() == "new 2 v2 b")
    }

    @Test("requests of scripts ignore the proxies of the environment")
    func noProxies() throws {
        let backend = LiveBackend()
        let main = """
            function onMessage(conn, message)
              local response, why, detail = http.get(message)
              conn:send(response and response.body or why .. ": " .. detail)
            end
            """
        // Nobody listens there.
        let proxy = "http://127.0.0.1:1"
        let perigee = try PerigeeProcess(
            scripts: ["main.lua": main], environment: ["http_proxy": proxy, "all_proxy": proxy, "ALL_PROXY": proxy])
        let client = try WebSocketClient.connect(port: perigee.clientPort)
        try client.send(backend.url("/direct"))
        #expect(try client.receiveText() == "/direct")
    }

    @Test("a saved script is live on the open connection by default")
    func saved() throws {
        let perigee = try PerigeeProcess(scripts: ["main.lua": Self.main])
        let client = try WebSocketClient.connect(port: perigee.clientPort)
        try perigee.folder.write(ReloadScripts.saying("new"), to: "main.lua")
        _ = try perigee.process.errorLine(containing: "scripts reloaded")
        try client.send("a")
        #expect(try client.receiveText() == "new 1 v2 a")
    }

    /// Each client may answer.
    @Test(
        "SIGTERM and SIGINT close every client with 1012 and exit with 0", arguments: [SIGTERM, SIGINT])
    func stop(signal: Int32) throws {
        let perigee = try PerigeeProcess(scripts: ["main.lua": Self.main])
        let clients = try (0..<20).map { _ in
            try WebSocketClient.connect(port: perigee.clientPort, timeout: .seconds(20))
        }
        let half = try RawSocket.connect(port: perigee.clientPort, timeout: .seconds(20))
        try half.send("GET / HTTP/1.1\r\n")
        try clients[0].send("a")
        _ = try clients[0].receiveText()
        perigee.process.signal(signal)
        for client in clients {
            #expect(try client.expectClose().code == 1012)
        }
        #expect(String(decoding: try half.awaitEnd(), as: UTF8.self).hasPrefix("HTTP/1.1 503 "))
        #expect(try perigee.process.wait() == 0)
        #expect(try !perigee.process.readErrorsToEnd().contains("grace time"))
        #expect(throws: ClientError.self) { try WebSocketClient.connect(port: perigee.clientPort) }
    }

    @Test("SIGTERM beside a client that does not read exits 0 after the grace time")
    func stopWithoutReader() throws {
        let perigee = try PerigeeProcess(
            scripts: ["main.lua": Self.main],
            environment: [
                "PERIGEE_TIMEOUTS_STOP": "300ms", "PERIGEE_TIMEOUTS_CLOSE": "1h",
                "PERIGEE_WEBSOCKET_MAX_QUEUE": "64 MiB",
            ])
        let client = try WebSocketClient.connect(port: perigee.clientPort, receiveBuffer: 4096)
        let admin = HTTPClient(port: perigee.adminPort, timeout: .seconds(20))
        let body = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
        var queued = 0
        for _ in 0..<30 where queued == 0 {
            _ = try admin.request("POST", "/v1/channels/news/messages", body: body)
            let list = try admin.request("GET", "/v1/connections").json()
            queued = list["items"]?[0]?["queuedBytes"]?.int ?? 0
        }
        #expect(queued > 0, "the client reads")
        let (status, time) = try perigee.end(with: SIGTERM)
        #expect(status == 0 && time >= .milliseconds(250) && time < .seconds(10))
        _ = try perigee.process.errorLine(containing: "grace time is over")
        _ = client
    }

    @Test("SIGTERM when nobody is connected ends it at once")
    func stopAlone() throws {
        let perigee = try PerigeeProcess(scripts: ["main.lua": Self.main])
        let (status, time) = try perigee.end(with: SIGTERM)
        #expect(status == 0 && time < .seconds(5))
    }
}

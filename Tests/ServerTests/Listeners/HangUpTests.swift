// Peers that hang up while the server is still busy with their bytes.

import Glibc
import JSON
import PerigeeTestKit
import Settings
import Testing
import TimeBound

@testable import Server

@Suite("Hang-ups", .plainOnly("its clients speak plain bytes through a file, or leave without close_notify"), .bounded)
struct HangUpTests {
    /// Also when the client's rate holds them back.
    @Test(
        "bytes sent before a hang-up are handled",
        arguments: ["function onMessage() end", "function onMessage(conn, message) conn:send(message) end"],
        [false, true])
    func messagesOfTheGone(_ script: String, isSecure: Bool) throws {
        let files = try SocketFile()
        try withServer(scripts: ["main.lua": script]) {
            files.use(in: &$0)
            $0.limits.messagesPerSecond = 100
            $0.limits.burst = .seconds(1)
            if isSecure { $0.tls.certificates = [TestAuthority.certificate.paths] }
        } _: { server in
            let client = try files.connect(isSecure: isSecure)
            // More than is read at once, and more than may be handled at once.
            try client.socket.send(
                (0..<120).flatMap { _ in ClientFrame.text(String(repeating: "x", count: 400)).bytes })
            client.socket.close()
            func node() throws -> JSON { try files.curl("http://localhost/v1/node") }
            try server.eventually("the client is gone") { try node()["connections"] == 0 }
            #expect(try node()["messagesIn"] == 120)
            #expect(try node()["readsDelayed"] != 0, "a client that is not held back proves little")
        }
    }

    @Test("the admin thread sleeps when a client hangs up while its call waits", arguments: [true, false])
    func callOfTheGone(_ isFile: Bool) throws {
        let files = try SocketFile()
        let script = """
            function onOpen() end
            function onRequest() server.sleep(20) return 200, "late" end
            """
        let pause = "function onRequest() server.sleep(1.5) return 200, 'null' end"
        let perigee = try PerigeeProcess(
            scripts: ["main.lua": script, "pause.lua": pause],
            arguments: isFile ? ["--admin", "unix:" + files.admin] : [],
            hasAdminPort: !isFile)
        func ask(_ path: String) throws -> JSON {
            isFile
                ? try files.curl("http://localhost\(path)")
                : try HTTPClient.once("GET", path, port: perigee.adminPort).json()
        }
        func waiting() throws -> Int { try #require(try ask("/v1/node")["handlersWaiting"]?.int) }
        let socket =
            isFile
            ? try RawSocket.connect(path: files.admin, timeout: .seconds(10))
            : try RawSocket.connect(port: perigee.adminPort, timeout: .seconds(10))
        try socket.send("GET /v1/call/main HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        if !isFile { try socket.shutdownWrite() }
        try repeatUntil("the call waits", within: .seconds(5)) { try waiting() == 1 }
        if isFile { socket.close() } else { try socket.reset() }
        let before = try perigee.process.processorTime()
        // A thread that does not sleep shows in its CPU time only, here that of another call's wait.
        _ = try ask("/v1/call/pause")
        let spent = try perigee.process.processorTime() - before
        #expect(spent < 0.6, "\(spent) s of CPU time")
        #expect(try waiting() == 1, "the call has waited all the time")
        #expect(try perigee.end(with: SIGKILL).status != 0)
    }
}

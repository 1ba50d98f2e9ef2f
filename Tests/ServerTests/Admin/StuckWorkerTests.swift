// The admin API while a script keeps one worker busy, and while the server stops: it answers in time, and says what it knows.

import JSON
import Logging
import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("Admin: a stuck worker", .bounded)
struct StuckWorkerTests {
    /// "block ID" tells ID, and keeps its worker busy until somebody on another one says "free", or closes.
    private static let script = """
        function onOpen(conn) conn:subscribe("news") conn:send(conn.id) end
        function onMessage(conn, message)
            local id = message:match("block (.*)")
            if id then
                server.send(id, "blocked")
                while not kv.get("free") do end
            else
                kv.set("free", true)
            end
            conn:send("done")
        end
        function onClose(conn) kv.set("free", true) end
        """

    private func block(_ clients: [Client]) throws -> (stuck: Client, free: Client) {
        let stuck = clients[0]
        let free = try #require(clients.first { $0.worker != stuck.worker })
        try stuck.socket.send("block \(free.id)")
        #expect(try free.socket.receiveText() == "blocked")
        return (stuck, free)
    }

    /// A push counts the others.
    @Test("a stuck worker's questions are 503")
    func overloaded() throws {
        try withServer(scripts: ["main.lua": Self.script]) { server in
            let clients = try Client.onBothWorkers(server)
            let (stuck, free) = try block(clients)
            let refused = try server.ask("GET", "/v1/connections/\(stuck.id)")
            #expect(refused.status == 503 && refused.errorCode == "overloaded" && refused.header("Retry-After") == "1")
            #expect(try server.ask("GET", "/v1/connections/\(free.id)").status == 200)
            #expect(try server.ask("GET", "/healthz").status == 200)
            let push = try server.ask("POST", "/v1/channels/news/messages", body: "x")
            #expect(push.status == 200)
            let answer = try push.json()
            #expect(answer["complete"] == false && answer["matched"]?.int == clients.count { $0.worker == free.worker })
            #expect(try free.socket.receiveText() == "x")
            try free.socket.send("free")
            #expect(try stuck.socket.receiveText() == "done")
            #expect(try stuck.socket.receiveText() == "x")
            #expect(try server.ask("GET", "/v1/connections/\(stuck.id)").status == 200)
        }
    }

    @Test("a reload under way when the server stops is answered 503")
    func stopping() throws {
        let folder = try TemporaryFolder()
        try folder.write(Self.script, to: "main.lua")
        var configuration = Configuration()
        configuration.listen = .loopback(port: 0)
        configuration.admin.listen = .loopback(port: 0)
        configuration.workers = 2
        configuration.scripts.folder = folder.path
        configuration.scripts.watch = false
        let server = try Server(configuration, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let clients = try Client.onBothWorkers(port: server.clientPort)
        _ = try block(clients)
        let socket = try RawSocket.connect(port: server.adminPort, timeout: .seconds(20))
        // A connection with an answer was accepted, and is read no later than a request that is sent after it.
        try socket.send("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        #expect(try HTTPResponse.read(from: socket, method: "GET").status == 200)
        try socket.send("POST /v1/scripts/reload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n")
        #expect(try HTTPClient.once("GET", "/healthz", port: server.adminPort).status == 200)
        // A client that went earlier would free the worker.
        withExtendedLifetime(clients) { server.stop() }
        let answer = try HTTPResponse.read(from: socket, method: "POST")
        #expect(answer.status == 503 && answer.errorCode == "stopping", "\(answer)")
        #expect(answer.header("Connection") == "close")
        #expect(try socket.awaitEnd() == [])
    }
}

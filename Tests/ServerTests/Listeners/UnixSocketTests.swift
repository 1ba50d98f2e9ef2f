// Both ports on UNIX sockets: clients are served by all workers, the admin API needs no key, and the files come and go with the
// server.

import EventLoop
import Glibc
import JSON
import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("UNIX sockets", .plainOnly("its client and its curl lines speak plain HTTP through a file"), .bounded)
struct UnixSocketTests {
    private let script = """
        function onOpen(conn) conn:send(conn.ip) conn:subscribe("news") end
        function onMessage(conn, message) conn:send(message) end
        """

    /// curl pushes through the admin API's file without a key.
    @Test("clients and curl connect through socket files")
    func talk() throws {
        let files = try SocketFile()
        try withServer(scripts: ["main.lua": script], configure: files.use) { server in
            #expect(server.server.clientAddress == "unix:" + files.clients && server.clientPort == 0)
            let client = try files.connect()
            #expect(try client.receiveText() == "unix")
            try client.send("hello")
            #expect(try client.receiveText() == "hello")
            let push = try files.curl("-d 'to all' http://localhost/v1/channels/news/messages")
            #expect(push["matched"] == 1)
            #expect(try client.receiveText() == "to all")
            let connections = try files.curl("http://any.name/v1/connections")
            #expect(connections["items"]?[0]?["remoteAddress"] == "unix")
        }
    }

    @Test("a key that is configured is asked for on a UNIX socket, too")
    func key() throws {
        let files = try SocketFile()
        try withServer(configure: {
            files.use(in: &$0)
            $0.admin.keys = [AdminKey(name: "ops", key: "0123456789abcdef", scopes: Set(AdminScope.allCases))]
        }) { _ in
            #expect(try files.curl("http://localhost/v1/node")["error"]?["code"] == "key_missing")
            let node = try files.curl("-H 'X-API-Key: 0123456789abcdef' http://localhost/v1/node")
            #expect(node["name"] == "perigee")
        }
    }

    @Test("every worker serves clients of the one file")
    func workers() throws {
        let files = try SocketFile()
        try withServer(configure: {
            files.use(in: &$0)
            $0.workers = 3
        }) { _ in
            var clients: [WebSocketClient] = []
            var counts = [0, 0, 0]
            for _ in 0..<30 where counts.contains(where: { $0 < 3 }) {
                clients += try (0..<10).map { _ in try files.connect("/echo") }
                let node = try files.curl("http://localhost/v1/node")
                counts = node["connectionsPerWorker"]?.array?.compactMap(\.int) ?? []
            }
            #expect(counts.count == 3 && counts.reduce(0, +) == clients.count)
            #expect(counts.allSatisfy { $0 >= 3 }, "\(counts)")
        }
    }

    @Test("a burst of clients is served to the last one")
    func burst() throws {
        let files = try SocketFile()
        try withServer(configure: files.use) { _ in
            let sockets = try (0..<300).map { _ in try RawSocket.connect(path: files.clients, timeout: .seconds(10)) }
            for socket in sockets { try socket.send(WebSocketClient.request(path: "/echo", host: "localhost")) }
            for socket in sockets { _ = try WebSocketClient.adopt(socket) }
        }
    }

    @Test("the files are gone when the server has stopped")
    func removed() throws {
        let files = try SocketFile()
        try withServer(configure: files.use) { _ in
            #expect(access(files.clients, F_OK) == 0 && access(files.admin, F_OK) == 0)
        }
        #expect(access(files.clients, F_OK) != 0 && access(files.admin, F_OK) != 0)
    }

    /// The running one goes on.
    @Test("a second server does not start on the files of a running one")
    func live() throws {
        let files = try SocketFile()
        try withServer(configure: files.use) { _ in
            let error = #expect(throws: StartError.self) { try withServer(configure: files.use) { _ in } }
            #expect(error?.exitCode == 3)
            #expect(error?.description == "cannot listen on unix:\(files.clients): another process listens there")
            let client = try files.connect("/echo")
            #expect(try files.curl("http://localhost/v1/node")["connections"] == 1)
            try client.send("hello")
            #expect(try client.receiveText() == "hello")
        }
    }

    @Test("the files of a server that was killed are replaced")
    func killed() throws {
        let files = try SocketFile()
        let arguments = [
            "serve", "--listen", "unix:" + files.clients, "--admin", "unix:" + files.admin, "--scripts",
            files.folder.path, "--workers", "1",
        ]
        try files.folder.write(script, to: "main.lua")
        for _ in 0..<2 {
            let perigee = try ChildProcess.start(PerigeeProgram.path, arguments, timeout: .seconds(30))
            let curl = try perigee.outputLine(containing: "  try        ").dropFirst("  try        ".count)
            let pushed = try ChildProcess.shell(String(curl), timeout: .seconds(20))
            #expect(try JSON(parsing: pushed.output)["matched"] == 0)
            _ = try files.connect()
            perigee.kill()
            #expect(access(files.clients, F_OK) == 0)
        }
    }

    /// It leaves those of a service manager.
    @Test(
        "an upgraded server removes the socket files that it has made",
        arguments: [true, false])
    func upgraded(isManaged: Bool) throws {
        let files = try SocketFile()
        let (clients, admin) = (try UnixSocketFile(path: files.clients), try UnixSocketFile(path: files.admin))
        defer { [clients, admin].forEach { $0.remove() } }
        let arguments = ["--listen", "unix:" + files.clients, "--admin", "unix:" + files.admin]
        let managed: ActivatedProcess?
        let own: ChildProcess?
        if isManaged {
            let sockets = (try clients.duplicate(), try admin.duplicate())
            defer { [sockets.0, sockets.1].forEach { close($0) } }
            own = nil
            managed = try ActivatedProcess(
                clients: [sockets.0], admin: sockets.1, workers: 1, arguments: arguments, isManaged: true)
        } else {
            [clients, admin].forEach { $0.remove() }
            managed = nil
            own = try ChildProcess.start(
                PerigeeProgram.path, arguments + ["--scripts", String(ActivatedProcess.scripts)], timeout: .seconds(30))
            _ = try own?.outputLine(containing: "  try        ")
        }
        var pid: Int32 = 0
        for round in 0..<2 {
            let answer = try files.curl("-X POST http://localhost/v1/upgrade")
            if round > 0 { try StartedProcess.awaitEnd(of: pid, within: .seconds(30)) }
            pid = Int32(try #require(answer["pid"]?.int))
            if round == 0 { #expect(try managed?.wait() ?? own?.wait() == 0) }
            #expect(access(files.clients, F_OK) == 0 && access(files.admin, F_OK) == 0)
        }
        kill(pid, SIGTERM)
        try StartedProcess.awaitEnd(of: pid, within: .seconds(30))
        #expect((access(files.clients, F_OK) == 0) == isManaged)
        #expect((access(files.admin, F_OK) == 0) == isManaged)
    }

    @Test("start-up prints the paths and a page only for an address with a port")
    func announcement() throws {
        let files = try SocketFile()
        try files.folder.write(script, to: "main.lua")
        let perigee = try ChildProcess.start(
            PerigeeProgram.path,
            [
                "--listen", "unix:" + files.clients, "--admin", "unix:" + files.admin, "--scripts", files.folder.path,
            ], timeout: .seconds(30))
        #expect(try perigee.outputLine(containing: "clients") == "  clients    unix:\(files.clients)")
        #expect(try perigee.outputLine(containing: "") == "  admin API  unix:\(files.admin)")
        perigee.signal(SIGTERM)
        #expect(try perigee.wait() == 0)
        #expect(access(files.clients, F_OK) != 0 && access(files.admin, F_OK) != 0)
    }
}

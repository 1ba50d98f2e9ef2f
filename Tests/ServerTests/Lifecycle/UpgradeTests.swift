// A new process takes over: nobody is refused, nobody is forgotten, and a failure changes nothing.

import EventLoop
import Glibc
import JSON
import Logging
import PerigeeTestKit
import Settings
import Synchronization
import Testing
import TimeBound

@testable import Gateway
@testable import Server

@Suite("Upgrade", .bounded)
struct UpgradeTests {
    private static let script = """
        function onOpen(conn) conn:send(conn.id) end
        function onMessage(conn, message) conn:send(message) end
        """

    private func start(_ environment: [String: String] = [:]) throws -> UpgradedProgram {
        UpgradedProgram(try PerigeeProcess(scripts: ["main.lua": Self.script], environment: environment))
    }

    /// Clients that come and go without a pause, from several threads.
    private final class Stream: Sendable {
        struct Count {
            var byNode: [UInt16: Int] = [:]
            var failures: [String] = []
        }

        private let isOver = Atomic<Bool>(false)
        private let counts = Mutex(Count())
        private let port: UInt16
        private let threads: Mutex<[LoopThread]> = Mutex([])

        init(port: UInt16, threads count: Int = 4) {
            self.port = port
            threads.withLock { threads in
                threads = (0..<count).map { index in LoopThread(name: "clients-\(index)") { [self] in run() } }
            }
        }

        /// How many were served by each process, by the number in their ids, so far.
        var count: Count { counts.withLock { $0 } }

        /// Waits until a process has served a hundred.
        func awaitClients(of node: UInt16) throws {
            let deadline = ContinuousClock.now + .seconds(60)
            while count.byNode[node, default: 0] < 100 {
                guard ContinuousClock.now < deadline else {
                    throw ClientError.unexpected("\(count) do not come to 100")
                }
                sched_yield()
            }
        }

        func end() -> Count {
            isOver.store(true, ordering: .sequentiallyConsistent)
            for thread in threads.withLock({ $0 }) { thread.join() }
            return count
        }

        private func run() {
            while !isOver.load(ordering: .sequentiallyConsistent) {
                do {
                    let node = try comeAndGo()
                    counts.withLock { $0.byNode[node, default: 0] += 1 }
                } catch {
                    counts.withLock { $0.failures.append("\(error)") }
                }
            }
        }

        /// Connects, gets its id, and closes, unless the server does it first.
        private func comeAndGo() throws -> UInt16 {
            let client = try WebSocketClient.connect(port: port, timeout: .seconds(20))
            let id = try #require(ConnectionID(try client.receiveText()))
            try? client.close()
            let close = try client.expectClose()
            #expect(close.code == 1000 || DrainingTests.hint(close) != nil)
            return id.node
        }
    }

    /// The old ones get 1012, the new process serves.
    @Test(
        "an upgrade refuses and resets no client of a constant stream")
    func underLoad() throws {
        let program = try start(["PERIGEE_DRAIN_WINDOW": "500ms"])
        let stream = Stream(port: program.clientPort)
        let staying = try (0..<100).map { _ in try Client(port: program.clientPort) }
        let old = try #require(ConnectionID(staying[0].id)).node
        try stream.awaitClients(of: old)
        let pid = try program.upgrade()
        for client in staying { #expect(DrainingTests.hint(try client.socket.expectClose()) != nil) }
        try program.awaitEnd(of: program.first.process.pid)
        let new = try #require(ConnectionID(try Client(port: program.clientPort).id)).node
        #expect(new != old)
        try stream.awaitClients(of: new)
        let count = stream.end()
        #expect(count.failures == [], "\(count.failures.count) of \(count.byNode)")
        #expect(Set(count.byNode.keys) == [old, new])
        #expect(try program.node()["pid"]?.int == Int(pid))
        kill(pid, SIGTERM)
        try program.awaitEnd(of: pid)
    }

    @Test("three upgrades in a row leak no descriptor")
    func threeTimes() throws {
        let program = try start()
        _ = try program.node()
        // A process that has just begun has not opened all that it needs.
        var before = 0
        for _ in 0..<250 {
            _ = poll(nil, 0, 2)
            before = max(before, try UpgradedProgram.descriptors(of: program.pids[0]))
        }
        for _ in 0..<3 {
            let client = try Client(port: program.clientPort)
            let old = try #require(program.pids.last)
            let pid = try program.upgrade()
            #expect(DrainingTests.hint(try client.socket.expectClose()) != nil)
            try program.awaitEnd(of: old)
            #expect(try program.node()["pid"]?.int == Int(pid))
            let after = try Client(port: program.clientPort)
            try after.socket.send("hello")
            #expect(try after.socket.receiveText() == "hello")
            after.socket.socket.close()
            var count = try UpgradedProgram.descriptors(of: pid)
            // The sockets of the questions just asked close a moment later.
            for _ in 0..<1000 where count > before {
                _ = poll(nil, 0, 2)
                count = try UpgradedProgram.descriptors(of: pid)
            }
            #expect(count <= before || Sanitizer.isActive, "\(count), the first had \(before)")
        }
        let last = try #require(program.pids.last)
        kill(last, SIGTERM)
        try program.awaitEnd(of: last)
        #expect(throws: ClientError.self) { try Client(port: program.clientPort) }
    }

    @Test("SIGUSR2 upgrades and logs it")
    func signal() throws {
        let program = try start()
        let client = try Client(port: program.clientPort)
        program.first.process.signal(SIGUSR2)
        let line = try program.first.process.errorLine(containing: "upgraded; the new process serves")
        let pid = try #require(line.split(separator: "pid=").last.flatMap { Int32($0.prefix { $0.isNumber }) })
        program.note(pid)
        #expect(DrainingTests.hint(try client.socket.expectClose()) != nil)
        try program.awaitEnd(of: program.pids[0])
        #expect(try program.node()["pid"]?.int == Int(pid))
    }

    @Test("perigee upgrade asks the running server and prints the result")
    func command() throws {
        let program = try start()
        let client = try Client(port: program.clientPort)
        let command = ["upgrade", "--admin", "127.0.0.1:\(program.adminPort)"]
        try program.first.folder.write("oops", to: "main.lua")
        let failed = try PerigeeProgram.run(command, environment: SecureProgram.commandEnvironment)
        #expect(failed.status == 1 && failed.output == "" && failed.errors.contains("exit code 4"))
        try program.first.folder.write(Self.script, to: "main.lua")
        let done = try PerigeeProgram.run(command, environment: SecureProgram.commandEnvironment)
        #expect(done.status == 0 && done.errors == "")
        program.note(Int32(try #require(try JSON(parsing: done.output)["pid"]?.int)))
        #expect(DrainingTests.hint(try client.socket.expectClose()) != nil)
        let nobody = try PerigeeProgram.run(["upgrade", "--admin", "127.0.0.1:1"])
        #expect(nobody.status == 1 && nobody.errors.contains("no server answers at 127.0.0.1:1"))
    }

    /// In the answer and in one line of the log.
    @Test("a new process that fails changes nothing and its error is reported")
    func failure() throws {
        let program = try start()
        let client = try Client(port: program.clientPort)
        try program.first.folder.write("oops", to: "main.lua")
        let answer = try HTTPClient.once("POST", "/v1/upgrade", port: program.adminPort, timeout: .seconds(20))
        #expect(answer.status == 500 && answer.errorCode == "upgrade_failed")
        #expect(answer.text.contains("the new process ended before it was ready, with exit code 4"))
        let line = try program.first.process.errorLine(containing: "not upgraded, this process goes on")
        #expect(line.contains("exit code 4"))
        try client.socket.send("still here")
        #expect(try client.socket.receiveText() == "still here")
        #expect(try program.node()["pid"]?.int == Int(program.pids[0]))
        for _ in 0..<20 { _ = try Client(port: program.clientPort) }
        try program.first.folder.write(Self.script, to: "main.lua")
        try program.upgrade()
        #expect(DrainingTests.hint(try client.socket.expectClose()) != nil)
    }

    /// Its clients get 1012.
    @Test("the first signal to a draining old process cuts no client")
    func signalInHandover() throws {
        let program = try start(["PERIGEE_DRAIN_WINDOW": "2s"])
        let clients = try (0..<100).map { _ in try Client(port: program.clientPort) }
        let pid = try program.upgrade()
        program.first.process.signal(SIGTERM)
        for client in clients { #expect(DrainingTests.hint(try client.socket.expectClose()) != nil) }
        try program.awaitEnd(of: program.pids[0])
        #expect(try program.node()["pid"]?.int == Int(pid))
    }

    /// For a reload, and for the process that takes over.
    @Test("a switched link above the working folder counts")
    func swappedRelease() throws {
        let folder = try TemporaryFolder()
        for release in ["v1", "v2", "v3"] {
            try folder.write("function onOpen(conn) conn:send('\(release)') end", to: "\(release)/Scripts/main.lua")
        }
        func release(_ name: String) throws {
            let line = "cd '\(folder.path)' && ln -s \(name) next && mv -T next current"
            #expect(try ChildProcess.shell(line).status == 0)
        }
        try release("v1")
        let arguments = "--listen 127.0.0.1:0 --admin 127.0.0.1:0 --workers 1 --scripts Scripts"
        let child = try ChildProcess.start(
            "/bin/sh", ["-c", "cd '\(folder.path)/current' && exec '\(PerigeeProgram.path)' \(arguments)"],
            environment: ["PERIGEE_SCRIPTS_WATCH": "false"], timeout: .seconds(30))
        func port(of part: String) throws -> UInt16 {
            let line = try child.outputLine(containing: part)
            return try #require(line.split(separator: ":").last.flatMap { UInt16($0) })
        }
        let clients = try port(of: "clients")
        let admin = try port(of: "admin API")
        func greeting() throws -> String {
            try WebSocketClient.connect(port: clients, timeout: .seconds(20)).receiveText()
        }
        #expect(try greeting() == "v1")
        try release("v2")
        let reloaded = try HTTPClient.once("POST", "/v1/scripts/reload", port: admin, timeout: .seconds(20))
        #expect(try reloaded.json()["changed"] == ["main.lua"])
        #expect(try greeting() == "v2")
        try release("v3")
        let upgraded = try HTTPClient.once("POST", "/v1/upgrade", port: admin, timeout: .seconds(30))
        let pid = try #require(try upgraded.json()["pid"]?.int)
        #expect(try child.wait() == 0)
        #expect(try greeting() == "v3")
        kill(Int32(pid), SIGTERM)
    }

    /// In the old one until it has handed over, then in the new one.
    @Test("a named timer runs in one process at a time")
    func namedTimers() throws {
        let script = """
            local me = crypto.hex(crypto.random(8))
            server.every("tick", 0.1, function() log.warn("tick of " .. me) end)
            """
        let program = UpgradedProgram(
            try PerigeeProcess(scripts: ["main.lua": script], environment: ["PERIGEE_DRAIN_WINDOW": "4s"]))
        let clients = try (0..<100).map { _ in
            try WebSocketClient.connect(port: program.clientPort, timeout: .seconds(20))
        }
        func tick() throws -> Substring? {
            let line = try program.first.process.errorLine(containing: "tick of ")
            return line.split(separator: "tick of ").last.map { $0.prefix { $0 != " " } }
        }
        let old = try tick()
        let pid = try program.upgrade()
        var ticks = [old]
        try repeatUntil("the new process ticks") {
            ticks.append(try tick())
            return ticks.last != old
        }
        let new = ticks.last
        // Three seconds, in which the old process drains.
        for _ in 0..<30 { #expect(try tick() == new) }
        #expect(new != old && ticks.count >= 2)
        withExtendedLifetime(clients) {}
        kill(pid, SIGTERM)
        program.first.process.signal(SIGKILL)
    }

    @Test("a worker that was stuck runs no named timers after an upgrade")
    func stuckTimers() throws {
        let script = """
            local me = crypto.hex(crypto.random(8))
            server.every("tock", 0.1, function() log.warn("tock of " .. me .. " ") end)
            server.every("tick", 0.1, function()
                if not kv.get("block") then return end
                kv.delete("block")
                local free = time.now() + 8
                log.warn("blocked ")
                while time.now() < free do end
                log.warn("freed ")
            end)
            function onMessage(conn, message) kv.set(message, true) end
            """
        let program = UpgradedProgram(
            try PerigeeProcess(
                scripts: ["main.lua": script],
                environment: ["PERIGEE_DRAIN_WINDOW": "1h", "PERIGEE_SCRIPTS_BUDGET": "1h"]))
        // The process does not end while the stuck worker has clients.
        let clients = try (0..<20).map { _ in
            try WebSocketClient.connect(port: program.clientPort, timeout: .seconds(20))
        }
        func line() throws -> String {
            try program.first.process.errorLine(containing: " script=main.lua")
        }
        func tock(_ line: String) -> Substring? {
            line.contains("tock of ") ? line.split(separator: "tock of ").last.map { $0.prefix { $0 != " " } } : nil
        }
        var old: Substring?
        try repeatUntil("the old process tocks") {
            old = tock(try line())
            return old != nil
        }
        try clients[0].send("block")
        try repeatUntil("worker 0 is stuck") { try line().contains("blocked") }
        let pid = try program.upgrade()
        var (new, isFree, later): (Substring?, Bool, Int) = (nil, false, 0)
        try repeatUntil("both processes go on for a while") {
            let line = try line()
            if line.contains("freed") {
                #expect(new != nil, "the new process was let go before")
                isFree = true
            } else if let teller = tock(line) {
                #expect(teller != old)
                new = teller
                later += isFree ? 1 : 0
            }
            return later == 20
        }
        withExtendedLifetime(clients) {}
        kill(pid, SIGTERM)
        program.first.process.signal(SIGKILL)
    }

    @Test("a new process that fails late leaves the UNIX socket's file in place")
    func fileOfLiving() throws {
        let files = try SocketFile()
        let living = try UnixSocketFile(path: files.clients)
        defer { living.remove() }
        let taken = try OwnListener()
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { ends.forEach { close($0) } }
        var configuration = Configuration()
        configuration.listen = try #require(ListenAddress(unixPath: files.clients))
        configuration.admin.listen = .loopback(port: taken.port)
        try files.folder.write(Self.script, to: "main.lua")
        configuration.scripts.folder = files.folder.path
        var host = HostProcess()
        host.sockets.clients = [try living.duplicate()]
        host.sockets.ready = ends[1]
        #expect(throws: StartError.self) {
            _ = try Server(configuration, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, host: host)
        }
        #expect(access(files.clients, F_OK) == 0)
        _ = try RawSocket.connect(path: files.clients, timeout: .seconds(10))
    }

    /// A second upgrade meanwhile is 409, and a stop ends both.
    @Test("a new process that is not ready in time is ended")
    func late() throws {
        let slow = "local start = time.now() while time.now() < start + 60 do end"
        let program = try start([
            "PERIGEE_DRAIN_HANDOVER": "1s", "PERIGEE_SCRIPTS_LOAD_BUDGET": "1h", "PERIGEE_SCRIPTS_WATCH": "false",
        ])
        try program.first.folder.write(slow, to: "main.lua")
        let waiting = try RawSocket.connect(port: program.adminPort, timeout: .seconds(20))
        let request = "POST /v1/upgrade HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n"
        try waiting.send(request)
        _ = try program.first.process.errorLine(containing: "upgrading")
        let second = try HTTPClient.once("POST", "/v1/upgrade", port: program.adminPort)
        #expect(second.status == 409 && second.errorCode == "upgrade_running")
        let answer = try HTTPResponse.read(from: waiting, method: "POST")
        #expect(answer.status == 500 && answer.text.contains("not ready in time"))
        try waiting.send(request)
        _ = try program.first.process.errorLine(containing: "upgrading")
        let (status, time) = try program.first.end(with: SIGTERM)
        #expect(status == 0 && time < .seconds(5))
        #expect(try HTTPResponse.read(from: waiting, method: "POST").text.contains("the server stops"))
    }

    @Test("the service manager learns of the new process and hears from it")
    func notified() throws {
        let manager = try NotifySocket(isAbstract: true)
        let program = try start(["NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "100000"])
        _ = try manager.next(with: "READY=1")
        let pid = try program.upgrade()
        _ = try manager.next(with: "RELOADING=1")
        #expect(try manager.next(with: "READY=1") == ["MAINPID=\(pid)", "READY=1", "STATUS=serving"])
        try program.awaitEnd(of: program.pids[0])
        while manager.next(within: 0) != nil {}
        #expect(manager.next() == ["WATCHDOG=1"])
        kill(pid, SIGTERM)
        #expect(try manager.next(with: "STOPPING=1").contains("STATUS=draining"))
    }

    @Test("starts the program that lies at its path with the same command line")
    func replaced() throws {
        let folder = try TemporaryFolder()
        let copy = folder.path + "/perigee"
        #expect(try ChildProcess.shell("cp \(PerigeeProgram.path) \(copy)").status == 0)
        try folder.write(Self.script, to: "scripts/main.lua")
        let child = try ChildProcess.start(
            copy, ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--scripts", folder.path + "/scripts"])
        let line = try child.outputLine(containing: "admin API")
        let port = try #require(line.split(separator: ":").last.flatMap { UInt16($0) })
        #expect(
            try ChildProcess.shell(
                "rm \(copy); printf '#!/bin/sh\\necho \"new program: $*\" >&2\\nexit 9' > \(copy); chmod +x \(copy)"
            ).status == 0)
        let answer = try HTTPClient.once("POST", "/v1/upgrade", port: port, timeout: .seconds(20))
        #expect(answer.text.contains("with exit code 9"))
        #expect(try child.errorLine(containing: "new program").contains("--scripts \(folder.path)/scripts"))
        #expect(try ChildProcess.shell("rm \(copy)").status == 0)
        let gone = try HTTPClient.once("POST", "/v1/upgrade", port: port, timeout: .seconds(20))
        // ThreadSanitizer makes vfork a fork, and then the reason stays in the child.
        #expect(gone.text.contains("cannot start \(copy): No such file") || Sanitizer.isActive)
        child.signal(SIGTERM)
        #expect(try child.wait() == 0)
    }
}

// More clients than descriptors, on the program itself: a limit of its own would hurt every other test of this process.

import Glibc
import PerigeeTestKit
import Testing
import TimeBound

@Suite("Descriptor exhaustion", .bounded(minutes: 5))
struct DescriptorTests {
    private static let script = """
        server.every("tick", 0.05, function() server.broadcast("tick") end)
        function onClose() server.broadcast("left") end
        """

    /// The rest is refused cleanly; the server does not spin, and recovers.
    @Test("64 descriptors serve what they can of 200 clients")
    func exhausted() throws {
        let folder = try TemporaryFolder()
        try folder.write(Self.script, to: "main.lua")
        let (program, port) = try Self.start(descriptors: 64, scripts: folder.path)
        let start = ContinuousClock.now
        let served = try Self.join(port, attempts: 200)
        #expect((20..<64).contains(served.count))
        #expect(ContinuousClock.now - start < .seconds(5), "nobody waits long to be refused")
        try Self.expectIdle(program, while: served[0])

        let (staying, leaving) = (served.dropLast(10), served.suffix(10))
        for client in leaving { client.socket.close() }
        for _ in leaving { try Self.awaitText("left", at: staying[0]) }
        let joining = try Self.join(port, attempts: 100, wanted: leaving.count)
        #expect(joining.count == leaving.count)

        program.signal(SIGTERM)
        for client in staying + joining {
            #expect(try client.expectClose(skippingMessages: true).code == 1012)
            client.socket.close()
        }
        #expect(try program.wait() == 0)
    }

    @Test("a TLS client beyond the descriptors gets an alert and no plain text")
    func exhaustedOverTLS() throws {
        let folder = try TemporaryFolder()
        try folder.write(Self.script, to: "main.lua")
        let pair = TestAuthority.certificate
        let (program, port) = try Self.start(
            descriptors: 64, scripts: folder.path,
            environment: ["PERIGEE_TLS_CERTIFICATES": "\(pair.certificate)=\(pair.key)"])
        let served = try WebSocketClient.connect(
            port: port, timeout: .seconds(20), security: .tls(TLSOptions(authority: TestAuthority.shared.path)))
        let sockets = try (0..<80).map { _ in
            try RawSocket.connect(port: port, timeout: .seconds(10), security: .plain)
        }
        // The server waits for the hello of those that it has accepted. The workers' order decides which ones.
        let alert: [UInt8] = [21, 3, 3, 0, 2, 2, 80]
        var answers: [[UInt8]] = Array(repeating: [], count: sockets.count)
        try repeatUntil("ten clients are refused") {
            for (index, socket) in sockets.enumerated() { answers[index] += socket.readAvailable() }
            return answers.count { $0 == alert } >= 10
        }
        #expect(answers.allSatisfy { $0.isEmpty || $0 == alert })
        #expect(try served.receiveText() == "tick")
        served.socket.close()
        for socket in sockets { socket.close() }
        program.signal(SIGTERM)
        #expect(try program.wait() == 0)
    }

    /// The clients that got in out of so many attempts, at most as many as wanted.
    private static func join(_ port: Int, attempts: Int, wanted: Int = .max) throws -> [WebSocketClient] {
        var joined: [WebSocketClient] = []
        for _ in 0..<attempts where joined.count < wanted {
            if let client = try attempt(port) { joined.append(client) }
        }
        return joined
    }

    private static func awaitText(_ text: String, at client: WebSocketClient) throws {
        try repeatUntil("the text \(text) comes") { try client.receiveText() == text }
    }

    /// Starts the program beside this test's own, and answers the port for clients.
    private static func start(
        descriptors: Int, scripts: String, environment: [String: String] = [:]
    ) throws -> (ChildProcess, port: Int) {
        let line = #"ulimit -n "$0"; exec "$@""#
        let options = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--workers", "2", "--scripts", scripts]
        let child = try ChildProcess.start(
            "/bin/sh", ["-c", line, "\(descriptors)", PerigeeProgram.path] + options,
            environment: SecureProgram.environment.merging(environment) { $1 })
        let announced = try child.outputLine(containing: "://127.0.0.1:")
        let port = try #require(announced.split(separator: ":").last.flatMap { UInt16($0) })
        if announced.contains("wss:") { SecureProgram.register([port]) }
        return (child, Int(port))
    }

    /// A client, or nil when the server turns it away; silence is an error.
    private static func attempt(_ port: Int) throws(ClientError) -> WebSocketClient? {
        do {
            let socket = try RawSocket.connect(port: port, timeout: .seconds(10))
            try socket.send(WebSocketClient.request(host: "127.0.0.1:\(port)"))
            return try WebSocketClient.adopt(socket)
        } catch {
            switch error {
            case .unexpected(let refusal) where refusal.contains("503 Service Unavailable"): return nil
            case .reset, .ended, .system: return nil
            case .tls where testsRunOverTLS: return nil
            case .deadline, .tls, .violation, .unexpected: throw error
            }
        }
    }

    /// For a second, in which the client gets its ticks, the program must do next to nothing.
    private static func expectIdle(_ program: ChildProcess, while client: WebSocketClient) throws {
        let start = ContinuousClock.now
        let before = try program.processorTime()
        while ContinuousClock.now < start + .seconds(1) { #expect(try client.receiveText() == "tick") }
        let spent = try program.processorTime() - before
        #expect(spent < 0.4, "\(ContinuousClock.now - start) of ticks took \(spent) s of CPU time")
    }
}

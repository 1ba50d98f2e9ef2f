// Limits of clients: in all, of one address, of one user, a second, and by memory.

import Glibc
import JSON
import PerigeeTestKit
import Settings
import Testing

@testable import Admin
@testable import Server

@Suite("Limits of connections", .bounded)
struct ConnectionLimitTests {
    private static let users = """
        function onOpen(conn)
            local done, why = conn:identify(conn.query.user)
            conn:send(tostring(done) .. " " .. tostring(why))
        end
        function onMessage(conn, message)
            local done = conn:identify(message ~= "" and message or nil)
            conn:send(tostring(done))
        end
        """

    private static let alert: Comment = "over TLS the refusal is an alert, as TLSHandshakeTests has it"

    private func expectRefusal(_ server: TestServer, _ counter: String, _ count: Int) throws {
        let answer = try HTTPResponse.read(from: server.dial(), method: "GET")
        #expect(answer.status == 503 && answer.header("Retry-After") != nil)
        #expect(answer.header("Connection") == "close")
        #expect(try server.nodeState()[counter]?.int == count)
    }

    /// When one leaves, another may connect.
    @Test(
        "a client beyond limits.connections gets 503 with Retry-After",
        .plainOnly(Self.alert))
    func inAll() throws {
        try withServer(configure: { $0.limits.connections = 3 }) { server in
            var clients = [try server.connect("/echo"), try server.connect("/echo")]
            // A connection that is no WebSocket counts as well.
            let plain = try server.dial()
            try plain.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try HTTPResponse.read(from: plain, method: "GET").status == 200)
            try expectRefusal(server, "refusedForConnections", 1)
            let last = clients.removeLast()
            try last.close()
            try last.expectClose()
            try server.eventually("there is room again") {
                guard let client = try? server.connect("/echo") else { return false }
                clients.append(client)
                return true
            }
            for client in clients {
                try client.send("still here")
                #expect(try client.receiveText() == "still here")
            }
            withExtendedLifetime(plain) {}
        }
    }

    /// Plain requests do not count.
    @Test("a handshake beyond limits.connectionsPerIP gets 429 with Retry-After")
    func perAddress() throws {
        try withServer(configure: { $0.limits.connectionsPerIP = 2 }) { server in
            let clients = try server.connectOnEachWorker("/echo")
            let refused = try WebSocketClient.handshakeRefused(port: server.clientPort, path: "/echo")
            #expect(refused.status == 429 && refused.header("Retry-After") != nil)
            #expect(try HTTPClient.once("GET", "/healthz", port: server.clientPort).status == 200)
            #expect((try server.nodeState()["refusedForAddress"]?.int ?? 0) >= 1)
            try clients[0].close()
            try clients[0].expectClose()
            try server.eventually("the address has room again") { (try? server.connect("/echo")) != nil }
        }
    }

    @Test("a handshake that the script refuses gives its address the place back")
    func refusedHandshakes() throws {
        let script = "function onUpgrade(request) return request.query.ok ~= nil end"
        try withServer(scripts: ["main.lua": script], configure: { $0.limits.connectionsPerIP = 1 }) { server in
            for _ in 0..<5 {
                try server.eventually("the script is asked again") {
                    try WebSocketClient.handshakeRefused(port: server.clientPort).status == 403
                }
            }
            try server.eventually("there is a place") { (try? server.connect("/?ok=1")) != nil }
        }
    }

    /// The connection that is identified last, on every worker.
    @Test(
        "the last beyond limits.connectionsPerUser is closed with 1008")
    func perUser() throws {
        try withServer(scripts: ["main.lua": Self.users], configure: { $0.limits.connectionsPerUser = 2 }) { server in
            let clients = try server.connectOnEachWorker("/?user=ada")
            for client in clients { #expect(try client.receiveText() == "true nil") }
            for _ in 0..<4 {
                let third = try server.connect("/?user=ada")
                #expect(try third.expectClose() == (1008, "too many connections of this user"))
            }
            #expect((try server.closes(for: "too_many_of_user") ?? 0) >= 4)
            let other = try server.connect("/?user=bob")
            #expect(try other.receiveText() == "true nil")
            try clients[0].close()
            try clients[0].expectClose()
            try server.eventually("ada has a place again") {
                let next = try server.connect("/?user=ada")
                return try next.receive() == .text("true nil")
            }
        }
    }

    /// Also when it is identified as nobody.
    @Test("a connection takes one place of its user and frees it with a new name")
    func reidentified() throws {
        try withServer(scripts: ["main.lua": Self.users], configure: { $0.limits.connectionsPerUser = 1 }) { server in
            let client = try server.connect("/?user=ada")
            #expect(try client.receiveText() == "true nil")
            for name in ["ada", "ada", "bob", "ada", "", "ada", "bob"] {
                try client.send(name)
                #expect(try client.receiveText() == "true")
            }
            let ada = try server.connect("/?user=ada")
            #expect(try ada.receiveText() == "true nil")
            let bob = try server.connect("/?user=bob")
            #expect(try bob.expectClose().code == 1008)
        }
    }

    /// Handshakes are counted over all workers.
    @Test(
        "a client beyond limits.handshakesPerSecond gets 503 with Retry-After",
        .plainOnly(Self.alert))
    func handshakes() throws {
        try withServer(configure: { $0.limits.handshakesPerSecond = 5 }) { server in
            let start = ContinuousClock.now
            var accepted: [RawSocket] = []
            var refused = 0
            while refused == 0 {
                let socket = try server.dial()
                try socket.send(server.upgrade("/echo"))
                let status = try HTTPResponse.read(from: socket, method: "GET").status
                if status == 101 { accepted.append(socket) } else { refused += status == 503 ? 1 : 0 }
            }
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            #expect(accepted.count >= 5 && Double(accepted.count) <= 5 + 5 * seconds + 1)
            #expect((try server.nodeState()["refusedForRate"]?.int ?? 0) >= 1)
            try server.eventually("the next second lets others in") { (try? server.connect("/echo")) != nil }
        }
    }

    /// Below it new ones are accepted again.
    @Test(
        "new connections above limits.memory get 503 and the others go on",
        .plainOnly(Self.alert))
    func memory() throws {
        let machine = MemoryLimit().bytes()
        let resident = MemoryGauge().residentBytes
        let share = resident * 100 / machine + 2
        try withServer(configure: { $0.limits.memory = share }) { server in
            let client = try server.connect("/echo")
            let size = machine / 100 * share - resident + 64 << 20
            let block = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
            for offset in stride(from: 0, to: size, by: 4096) {
                block.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self)
            }
            try server.eventually("memory is tight") { try server.nodeState()["memoryIsTight"] == true }
            try expectRefusal(server, "refusedForMemory", 1)
            try client.send("still here")
            #expect(try client.receiveText() == "still here")
            munmap(block, size)
            try server.eventually("memory is no longer tight") { try server.nodeState()["memoryIsTight"] == false }
            #expect(throws: Never.self) { try server.connect("/echo") }
        }
    }

    /// One of as many frames is a message.
    @Test("a message beyond limits.fragments closes with 1008")
    func fragments() throws {
        try withServer(configure: { $0.limits.fragments = 10 }) { server in
            let client = try server.connect("/echo")
            try client.sendFrame(fin: false, opcode: 1, payload: [0x61])
            for _ in 0..<8 { try client.sendFrame(fin: false, opcode: 0) }
            try client.sendFrame(opcode: 0, payload: [0x62])
            #expect(try client.receiveText() == "ab")
            try client.sendFrame(fin: false, opcode: 1)
            for _ in 0..<10 { try client.sendFrame(fin: false, opcode: 0) }
            #expect(try client.expectClose() == (1008, "too many fragments"))
            #expect(try server.closes(for: "too_many_fragments") == 1)
        }
    }
}

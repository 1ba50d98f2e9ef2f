// A client's bytes after the server has decided to close: read as far as its own Close frame may be, and no further.

import JSON
import PerigeeTestKit
import Settings
import Testing

@testable import Server

@Suite("Closing input", .bounded)
struct ClosingInputTests {
    private static let allowance = 64 << 10
    /// The most that the kernels of both ends hold, with the receive buffer of the loop and the allowance.
    private static let most = 24 << 20

    private static let script = """
        function onMessage(conn, message)
            if message == "close" then conn:close(4001, "enough") end
        end
        """

    private func serve(_ body: (TestServer) throws -> Void) throws {
        try withServer(
            scripts: ["main.lua": Self.script],
            configure: {
                $0.limits.closeInput = Self.allowance
                $0.timeouts.close = .milliseconds(1_500)
                $0.websocket.maxMessage = 100_000
            }, body)
    }

    /// Sends frames for as long as the server's end takes them; answers how many bytes it took.
    private func flood(_ socket: RawSocket) -> Int {
        let frame = ClientFrame.text(String(repeating: "x", count: 60_000)).bytes
        var rest = frame[...]
        var taken = 0
        let end = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < end, taken < 200 << 20 {
            guard let count = try? socket.sendAvailable(Array(rest)) else { return taken }
            taken += count
            rest = rest.dropFirst(count)
            if rest.isEmpty { rest = frame[...] }
        }
        return taken
    }

    /// The connection is cut in time.
    @Test("conn:close reads a Close frame but no flood")
    func afterClose() throws {
        try serve { server in
            let client = try server.connect()
            try client.send("close")
            let frame = try client.receiveFrame()
            #expect(frame.opcode == 8)
            let start = ContinuousClock.now
            let taken = flood(client.socket)
            #expect(taken < Self.most, "\(taken) bytes")
            #expect(ContinuousClock.now - start < .seconds(9), "the server has cut the connection")
            try server.eventually("the connection is gone") { try server.nodeState()["connections"] == 0 }
            #expect(try server.nodeState()["closeInputCut"] == 1)
            try server.eventually("the close is counted as late") { try server.closes(for: "close_timeout") == 1 }
        }
    }

    @Test("a breach of a limit still reads a Close frame but no flood")
    func afterBreach() throws {
        try serve { server in
            let client = try server.connect()
            try client.socket.send(ClientFrame.text(String(repeating: "y", count: 100_001)).bytes)
            #expect(try client.expectCloseFrame() == 1009)
            let taken = flood(client.socket)
            #expect(taken < Self.most, "\(taken) bytes")
            #expect(try server.nodeState()["closeInputCut"] == 1)
        }
    }

    /// The client gets the answer to it.
    @Test("the bytes behind a refused request are not read")
    func afterRefusal() throws {
        try serve { server in
            let socket = try server.dial()
            try socket.send("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
            let answer = try HTTPResponse.read(from: socket, method: "GET")
            #expect(answer.status == 400 || answer.status == 426)
            let taken = flood(socket)
            #expect(taken < Self.most, "\(taken) bytes")
            #expect(try server.nodeState()["closeInputCut"] == 1)
        }
    }

    @Test("a client amid a large message still gets its closing handshake")
    func middleOfMessage() throws {
        try serve { server in
            let client = try server.connect()
            let last = ClientFrame.text(String(repeating: "z", count: 50_000)).bytes
            try client.socket.send(ClientFrame.text("close").bytes + last.dropLast(20_000))
            #expect(try client.expectCloseFrame() == 4001)
            try client.socket.send(last.suffix(20_000) + ClientFrame.close(code: 4001).bytes)
            #expect(try client.socket.awaitEnd() == [])
            #expect(try server.closes(for: "close_timeout") == 0)
            #expect(try server.nodeState()["closeInputCut"] == 0)
        }
    }
}

extension WebSocketClient {
    /// The code of a Close frame that is not answered.
    fileprivate func expectCloseFrame() throws -> Int {
        let frame = try receiveFrame()
        guard frame.opcode == 8, frame.payload.count >= 2 else { throw ClientError.unexpected("\(frame)") }
        return Int(frame.payload[0]) << 8 | Int(frame.payload[1])
    }
}

// What the tests of the admin API share: a script that says who a client is, clients on every worker, and one request.

import PerigeeTestKit
import Testing

@testable import Server

/// A client that was told its id.
struct Client {
    let socket: WebSocketClient
    let id: String
    /// The worker that has it.
    let worker: UInt8

    /// Connects, and takes the first message as the id.
    init(port: UInt16, _ path: String = "/") throws {
        socket = try WebSocketClient.connect(port: port, path: path, timeout: .seconds(20))
        id = try socket.receiveText()
        worker = try #require(ConnectionID(id)).worker
    }

    init(_ server: TestServer, _ path: String = "/") throws {
        try self.init(port: server.clientPort, path)
    }

    /// Connects until each of two workers has a client. The kernel chooses the worker, by the client's port.
    static func onBothWorkers(port: UInt16, _ path: String = "/") throws -> [Client] {
        var clients: [Client] = []
        while Set(clients.map(\.worker)).count < 2 {
            try #require(clients.count < 64, "the kernel gives every client to one worker")
            clients.append(try Client(port: port, path))
        }
        return clients
    }

    static func onBothWorkers(_ server: TestServer, _ path: String = "/") throws -> [Client] {
        try onBothWorkers(port: server.clientPort, path)
    }
}

/// Scripts for these tests.
enum AdminScripts {
    /// Tells a client its id, does as its query says (`channel`, `user`), and echoes.
    static let main = """
        function onOpen(conn)
            for _, pair in ipairs(conn.query) do
                if pair.name == "channel" then conn:subscribe(pair.value) end
                if pair.name == "user" then conn:identify(pair.value) end
            end
            conn:send(conn.id)
        end
        function onMessage(conn, message) conn:send(message) end
        """

    /// `main`, and the same for the path /chat.
    static let both = ["main.lua": main, "chat.lua": main]
}

extension TestServer {
    /// One request to the admin API on a connection of its own.
    func ask(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: String = ""
    ) throws(ClientError) -> HTTPResponse {
        try HTTPClient(port: adminPort, timeout: .seconds(20)).request(method, path, headers: headers, body: body)
    }

    /// A connection to the admin API for bytes of any kind.
    func openAdmin() throws(ClientError) -> RawSocket {
        try RawSocket.connect(port: adminPort, timeout: .seconds(20))
    }
}

extension HTTPResponse {
    /// The stable code of an error; nil when the answer is none.
    var errorCode: String? { try? json()["error"]?["code"]?.string }
}

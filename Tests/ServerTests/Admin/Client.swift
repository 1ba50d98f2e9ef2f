// A WebSocket client as the tests of the admin API need it: one whose id and worker are known.

import PerigeeTestKit
import Testing

@testable import Gateway
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

// Questions of the live tests of clients to a running server: clients on its port, one on each worker, and its counters.

import JSON
import PerigeeTestKit
import Server
import TimeBound

extension TestServer {
    /// A client that the script of `path` serves.
    func connect(
        _ path: String = "/", headers: [(String, String)] = [], subprotocols: [String] = [], deflate: String? = nil,
        receiveBuffer: Int? = nil
    ) throws -> WebSocketClient {
        try WebSocketClient.connect(
            port: clientPort, path: path, headers: headers, subprotocols: subprotocols, deflate: deflate,
            timeout: .seconds(10), receiveBuffer: receiveBuffer)
    }

    /// A connection to the clients' port on which nothing has been said yet.
    func dial() throws -> RawSocket { try RawSocket.connect(port: clientPort, timeout: .seconds(10)) }

    /// The bytes of an upgrade request to this server.
    func upgrade(_ path: String = "/", headers: [(String, String)] = []) -> [UInt8] {
        Array(WebSocketClient.request(path: path, host: "127.0.0.1:\(clientPort)", headers: headers).utf8)
    }

    /// One client on each worker, in the workers' order. The kernel chooses the worker, so it takes a few attempts; a client
    /// too many is closed again.
    func connectOnEachWorker(_ path: String = "/") throws -> [WebSocketClient] {
        var clients = [WebSocketClient?](repeating: nil, count: server.workerCount)
        try repeatUntil("each worker has a client") {
            let before = try connectionsPerWorker()
            let client = try connect(path)
            let after = try connectionsPerWorker()
            guard let worker = after.indices.first(where: { after[$0] > before[$0] }), clients[worker] == nil else {
                try client.close()
                try client.expectClose(skippingMessages: true)
                return false
            }
            clients[worker] = client
            return clients.allSatisfy { $0 != nil }
        }
        return clients.compactMap { $0 }
    }

    /// The answer to `GET /v1/node`.
    func nodeState() throws -> JSON { try HTTPClient.once("GET", "/v1/node", port: adminPort).json() }

    /// How often the server closed a connection for a reason of its own.
    func closes(for reason: String) throws -> Int? { try nodeState()["closes"]?[reason]?.int }

    /// Asks the server again and again until it gives the expected answer within 10 seconds: for changes without an
    /// event.
    func eventually(_ what: String, _ holds: () throws -> Bool) throws {
        try repeatUntil(what, within: .seconds(10), holds)
    }

    private func connectionsPerWorker() throws -> [Int] {
        try nodeState()["connectionsPerWorker"]?.array?.compactMap(\.int) ?? []
    }
}

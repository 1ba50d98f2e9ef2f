// A server on the loop that the client under test runs on, too: the test decides when either has its turn.

import EventLoop

/// Listens on a port of its own and answers as it is told.
final class Backend {
    private(set) var connections: [BackendConnection] = []
    private(set) var requests: [BackendRequest] = []
    /// Connections that have not been closed.
    private(set) var open = 0
    /// 200 with the path as its body, unless a test says otherwise.
    var answer: (BackendConnection, BackendRequest) -> Void = { $0.reply("200 OK", [], $1.path) }
    /// Called before anything is received.
    var accepted: (BackendConnection) -> Void = { _ in }
    private var listener: Listener!

    init(on loop: EventLoop, security: TLSContext? = nil) throws {
        listener = try Listener(SocketAddress(host: "127.0.0.1", port: 0)!, isShared: false, on: loop) {
            [unowned self, unowned loop] descriptor, peer in
            let connection = BackendConnection(descriptor: descriptor, peer: peer, on: loop)
            connections.append(connection)
            open += 1
            connection.closed = { [weak self] in self?.open -= 1 }
            connection.answer = { [weak self] connection, request in
                self?.requests.append(request)
                self?.answer(connection, request)
            }
            accepted(connection)
            if let security { connection.startTLS(security) }
        }
    }

    var port: UInt16 { listener.address.port }

    func url(_ path: String = "/", host: String = "127.0.0.1") -> String { "http://\(host):\(port)\(path)" }
}

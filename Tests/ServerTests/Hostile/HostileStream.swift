// One row of the table of hostile clients: the bytes, their end, and the server's required reaction.

import PerigeeTestKit
import Testing

/// A byte stream that no honest client sends, and its expected fate.
struct HostileStream: Sendable, CustomTestStringConvertible {
    /// The client's action after its bytes.
    enum Ending: Sendable {
        /// It waits for the server's reaction.
        case waits
        /// It announces that it sends no more (FIN), and waits.
        case halfCloses
        /// It aborts the connection (RST) and is gone.
        case resets
    }

    /// The server's required reaction.
    enum Fate: Sendable, Equatable {
        /// One HTTP response with this status and nothing else, then the end.
        case status(Int)
        /// A Close frame with this code and nothing else, then the end.
        case close(UInt16)
        /// The end, without a byte.
        case silence
        /// There is nobody left to be told.
        case unknown
    }

    /// The receiver of the bytes.
    enum Port: Sendable {
        case clients, admin
    }

    let testDescription: String
    var port = Port.clients
    /// Whether a good handshake on the path /echo goes before the bytes.
    let isUpgraded: Bool
    /// The extensions that the handshake offers; a server that knows them has to accept them.
    var offer: String?
    let bytes: [UInt8]
    let ending: Ending
    let fate: Fate

    /// Bytes in place of a request.
    static func request(_ rule: String, _ bytes: [UInt8], _ fate: Fate, _ ending: Ending = .waits) -> HostileStream {
        HostileStream(testDescription: rule, isUpgraded: false, bytes: bytes, ending: ending, fate: fate)
    }

    static func request(_ rule: String, _ text: String, _ fate: Fate, _ ending: Ending = .waits) -> HostileStream {
        request(rule, Array(text.utf8), fate, ending)
    }

    /// Bytes in place of a request to the admin API.
    static func admin(_ rule: String, _ bytes: [UInt8], _ fate: Fate, _ ending: Ending = .waits) -> HostileStream {
        HostileStream(
            testDescription: rule, port: .admin, isUpgraded: false, bytes: bytes, ending: ending, fate: fate)
    }

    /// Bytes in place of frames.
    static func frames(_ rule: String, _ bytes: [UInt8], _ fate: Fate, _ ending: Ending = .waits) -> HostileStream {
        HostileStream(testDescription: rule, isUpgraded: true, bytes: bytes, ending: ending, fate: fate)
    }

    static func frames(_ rule: String, _ frames: [ClientFrame], _ fate: Fate) -> HostileStream {
        self.frames(rule, frames.flatMap(\.bytes), fate)
    }
}

extension HostileStream {
    /// Plays the row against a server, in segments of `size` bytes when a size is given; answers what the server did.
    func play(on server: TestServer, inPiecesOf size: Int? = nil) throws -> Fate {
        try play(clients: server.clientPort, admin: server.adminPort, inPiecesOf: size)
    }

    /// Plays the row against a server on these ports.
    func play(clients: UInt16, admin: UInt16, inPiecesOf size: Int? = nil) throws -> Fate {
        let socket = try RawSocket.connect(port: port == .admin ? admin : clients, timeout: .seconds(20))
        if isUpgraded { try upgrade(socket) }
        // The server may hang up before the last byte; its answer is still to be read.
        try? socket.send(bytes, inPiecesOf: size ?? max(bytes.count, 1))
        switch ending {
        case .waits: break
        case .halfCloses: try socket.shutdownWrite()
        case .resets:
            try socket.reset()
            return .unknown
        }
        return Self.fate(from: try socket.awaitEnd())
    }

    private func upgrade(_ socket: RawSocket) throws {
        let headers = offer.map { [("Sec-WebSocket-Extensions", $0)] } ?? []
        try socket.send(WebSocketClient.request(path: "/echo", host: "127.0.0.1", headers: headers))
        let response = try HTTPResponse.read(from: socket, method: "GET")
        guard response.status == 101, (response.header("Sec-WebSocket-Extensions") != nil) == (offer != nil) else {
            throw ClientError.unexpected("the handshake was not accepted as it should: \(response)")
        }
    }

    /// The server's last bytes, in the words of the table.
    private static func fate(from bytes: [UInt8]) -> Fate {
        if bytes.isEmpty { return .silence }
        if bytes.count >= 4, bytes[0] == 0x88, Int(bytes[1]) == bytes.count - 2 {
            return .close(UInt16(bytes[2]) << 8 | UInt16(bytes[3]))
        }
        let text = String(decoding: bytes, as: UTF8.self)
        let responses = text.split(separator: "HTTP/1.1 ", omittingEmptySubsequences: true)
        guard responses.count == 1, text.hasPrefix("HTTP/1.1 "), let status = Int(responses[0].prefix(3)) else {
            return .unknown
        }
        return .status(status)
    }
}

// The opening handshake of WebSocketClient (RFC 6455 section 4.1): the request, and each check a client owes the answer.

import Glibc
import JSON

extension WebSocketClient {
    /// Connects, upgrades and checks the server's answer; anything but a correct 101 is an error that shows the answer.
    ///
    /// `headers` are added to the request, one with the name of a handshake header replaces it. `deflate` is offered as
    /// Sec-WebSocket-Extensions: "permessage-deflate" with its parameters.
    public static func connect(
        host: String = "127.0.0.1", port: some BinaryInteger, path: String = "/",
        headers: [(String, String)] = [], subprotocols: [String] = [], deflate: String? = nil,
        timeout: Duration = .seconds(5), receiveBuffer: Int? = nil, security: Security = .asServed
    ) throws(ClientError) -> WebSocketClient {
        let socket = try RawSocket.connect(
            host: host, port: port, timeout: timeout, receiveBuffer: receiveBuffer, security: security)
        let key = makeKey()
        let extra = headers + offer(subprotocols) + (deflate.map { [("Sec-WebSocket-Extensions", $0)] } ?? [])
        try socket.send(request(path: path, host: RawSocket.authority(host, port), key: key, headers: extra))
        let response = try HTTPResponse.read(from: socket, method: "GET")
        try check(response, key: key, subprotocols: subprotocols, extensions: deflate != nil)
        let agreed = try response.header("Sec-WebSocket-Extensions").map(PermessageDeflate.init(response:))
        return WebSocketClient(socket: socket, response: response, deflate: agreed)
    }

    /// Takes over a connection on which the test has sent an upgrade request with the example key of `request`: reads and
    /// checks the 101.
    public static func adopt(_ socket: RawSocket) throws(ClientError) -> WebSocketClient {
        let response = try HTTPResponse.read(from: socket, method: "GET")
        try check(response, key: "dGhlIHNhbXBsZSBub25jZQ==", subprotocols: [])
        return WebSocketClient(socket: socket, response: response)
    }

    /// Asks for the same upgrade and answers the HTTP response with which the server refuses it; a 101 is an error.
    public static func handshakeRefused(
        host: String = "127.0.0.1", port: some BinaryInteger, path: String = "/",
        headers: [(String, String)] = [], subprotocols: [String] = [], timeout: Duration = .seconds(5)
    ) throws(ClientError) -> HTTPResponse {
        let socket = try RawSocket.connect(host: host, port: port, timeout: timeout)
        let extra = headers + offer(subprotocols)
        try socket.send(request(path: path, host: RawSocket.authority(host, port), key: makeKey(), headers: extra))
        let response = try HTTPResponse.read(from: socket, method: "GET")
        guard response.status != 101 else { throw .unexpected("the handshake was accepted") }
        return response
    }

    /// The bytes of an upgrade request; a name in `headers` replaces the handshake's own header of that name, and an empty
    /// value leaves it out.
    public static func request(
        path: String = "/", host: String, key: String = "dGhlIHNhbXBsZSBub25jZQ==", headers: [(String, String)] = []
    ) -> String {
        let own = [
            ("Host", host), ("Upgrade", "websocket"), ("Connection", "Upgrade"),
            ("Sec-WebSocket-Key", key), ("Sec-WebSocket-Version", "13"),
        ]
        let replaced = Set(headers.map { $0.0.lowercased() })
        let fields = own.filter { !replaced.contains($0.0.lowercased()) } + headers.filter { !$0.1.isEmpty }
        return "GET \(path) HTTP/1.1\r\n" + fields.map { "\($0): \($1)\r\n" }.joined() + "\r\n"
    }

    /// What the server must answer to `key`: base64 of SHA-1 over the key and the RFC's GUID.
    public static func acceptValue(for key: String) -> String {
        Base64.encode(SHA1.digest(of: Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)))
    }

    private static func makeKey() -> String {
        Base64.encode((0..<16).map { _ in UInt8.random(in: 0...255) })
    }

    private static func offer(_ subprotocols: [String]) -> [(String, String)] {
        subprotocols.isEmpty ? [] : [("Sec-WebSocket-Protocol", subprotocols.joined(separator: ", "))]
    }

    private static func check(
        _ response: HTTPResponse, key: String, subprotocols: [String], extensions: Bool = false
    ) throws(ClientError) {
        guard response.status == 101 else { throw .unexpected("the handshake was refused: \(response)") }
        guard response.header("Upgrade")?.lowercased() == "websocket" else {
            throw .violation("101 without Upgrade: websocket: \(response)")
        }
        let connection = response.header("Connection")?.lowercased().split { $0 == "," || $0 == " " } ?? []
        guard connection.contains("upgrade") else { throw .violation("101 without Connection: Upgrade: \(response)") }
        guard response.header("Sec-WebSocket-Accept") == acceptValue(for: key) else {
            throw .violation("wrong Sec-WebSocket-Accept: \(response)")
        }
        guard extensions || response.header("Sec-WebSocket-Extensions") == nil else {
            throw .violation("an extension that was not offered: \(response)")
        }
        if let chosen = response.header("Sec-WebSocket-Protocol"), !subprotocols.contains(chosen) {
            throw .violation("subprotocol \(chosen) was not offered")
        }
    }
}

// WebSocketClient: a WebSocket client for tests. It holds the server to RFC 6455 in everything it receives, and lets the test
// break every rule in the frames that it sends. This file has the opening handshake and the sending side.
//
// Runs on: any thread, one at a time; calls block until their deadline.
// Read next: WebSocketClient+Receiving.swift, WebSocketFrames.swift.

import COpenSSL
import JSON

/// A connected WebSocket client; its TCP connection closes with the last reference.
public final class WebSocketClient {
    /// The connection under the protocol, for bytes outside of frames.
    public let socket: RawSocket
    /// The server's 101.
    public let response: HTTPResponse
    /// The subprotocol that the server chose.
    public let subprotocol: String?
    /// The client's side of permessage-deflate; nil when the server has not agreed to it.
    public let deflate: PermessageDeflate?
    /// Whether the client answers pings itself; if not, `receive` returns them.
    public var answersPings = true

    /// Whether the last message that `receive` returned was compressed.
    public internal(set) var lastWasCompressed = false

    var sentClose = false
    var pings = 0

    init(socket: RawSocket, response: HTTPResponse, deflate: PermessageDeflate? = nil) {
        self.socket = socket
        self.deflate = deflate
        self.response = response
        subprotocol = response.header("Sec-WebSocket-Protocol")
    }

    /// Sends a text message in one frame.
    public func send(_ text: String) throws(ClientError) {
        try sendFrame(.text(text))
    }

    /// Sends a binary message in one frame.
    public func send(_ bytes: [UInt8]) throws(ClientError) {
        try sendFrame(ClientFrame(opcode: 2, payload: bytes))
    }

    /// Sends a text message compressed, as agreed with the server.
    public func sendCompressed(_ text: String) throws(ClientError) {
        try sendCompressed(opcode: 1, Array(text.utf8))
    }

    /// Sends a binary message compressed, as agreed with the server.
    public func sendCompressed(_ bytes: [UInt8]) throws(ClientError) {
        try sendCompressed(opcode: 2, bytes)
    }

    private func sendCompressed(opcode: UInt8, _ bytes: [UInt8]) throws(ClientError) {
        guard let deflate else { throw .unexpected("the server has not agreed to permessage-deflate") }
        try sendFrame(rsv: 4, opcode: opcode, payload: deflate.compress(bytes))
    }

    /// Sends a frame as it is, in segments of `size` bytes when a size is given.
    public func sendFrame(_ frame: ClientFrame, inPiecesOf size: Int? = nil) throws(ClientError) {
        let bytes = frame.bytes
        try socket.send(bytes, inPiecesOf: size ?? max(bytes.count, 1))
    }

    /// Sends a frame of any shape; `ClientFrame` has the rarer ones (lengths that are wrong or not minimal).
    public func sendFrame(
        fin: Bool = true, rsv: UInt8 = 0, opcode: UInt8, masked: Bool = true, payload: [UInt8] = []
    ) throws(ClientError) {
        var frame = ClientFrame(opcode: opcode, payload: payload)
        frame.fin = fin
        frame.rsv = rsv
        frame.masked = masked
        try sendFrame(frame)
    }

    /// Sends a ping with up to 125 bytes.
    public func ping(_ payload: [UInt8] = []) throws(ClientError) {
        try sendFrame(ClientFrame(opcode: 9, payload: payload))
    }

    /// Sends a close frame, an empty one without a code; `expectClose` then takes the server's.
    public func close(code: UInt16? = 1000, reason: String = "") throws(ClientError) {
        sentClose = true
        try sendFrame(.close(code: code, reason: reason))
    }
}

// The opening handshake (RFC 6455 section 4.1): the request, and each check that a client owes the response.

extension WebSocketClient {
    /// Connects, upgrades and checks the server's response; anything but a correct 101 is an error that shows the response.
    ///
    /// `headers` are added to the request; one with the name of a handshake header replaces that. `deflate` is offered as
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

    /// Adopts a connection on which the test has sent an upgrade request with the example key of `request`: reads and checks
    /// the 101.
    public static func adopt(_ socket: RawSocket) throws(ClientError) -> WebSocketClient {
        let response = try HTTPResponse.read(from: socket, method: "GET")
        try check(response, key: "dGhlIHNhbXBsZSBub25jZQ==", subprotocols: [])
        return WebSocketClient(socket: socket, response: response)
    }

    /// Requests the same upgrade and returns the HTTP response that refuses it; a 101 is an error.
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

    /// The text of an upgrade request; a name in `headers` replaces the handshake's header of that name, and an empty value
    /// leaves it out.
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

    /// The server's proof for `key`: Base64 of SHA-1 over the key and the RFC's GUID.
    public static func acceptValue(for key: String) -> String {
        let text = Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)
        var digest = [UInt8](repeating: 0, count: 20)
        guard perigee_sha1(text, text.count, &digest) else { fatalError("OpenSSL's policy forbids SHA-1") }
        return Base64.encode(digest)
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

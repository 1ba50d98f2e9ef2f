// WebSocketClient: a WebSocket client for tests. It holds the server to RFC 6455 in everything it receives, and lets the
// test break every rule in what it sends.
//
// Runs on: any thread, one at a time; calls block until their deadline.
// Read next: WebSocketClient+Handshake.swift, WebSocketClient+Receiving.swift, ClientFrame.swift

/// A connected WebSocket client; its TCP connection closes with the last reference.
public final class WebSocketClient {
    /// The connection under the protocol, for bytes that are no frame.
    public let socket: RawSocket
    /// The server's 101.
    public let response: HTTPResponse
    /// The subprotocol that the server chose.
    public let subprotocol: String?
    /// The client's side of permessage-deflate, when the server has agreed to it.
    public let deflate: PermessageDeflate?
    /// Whether pings are answered unseen; if not, `receive` hands them out and the test answers, or does not.
    public var answersPings = true

    /// Whether the last message that `receive` answered with came compressed.
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

    /// Sends a frame of any shape; `ClientFrame` has the rarer ones (lengths that lie or are not minimal).
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

    /// Sends a close frame, an empty one without a code; `expectClose` then takes the answer.
    public func close(code: UInt16? = 1000, reason: String = "") throws(ClientError) {
        sentClose = true
        try sendFrame(.close(code: code, reason: reason))
    }
}

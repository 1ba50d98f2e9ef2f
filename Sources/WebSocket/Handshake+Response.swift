// The answer to a right handshake (RFC 6455, 4.2.2, step 5).

extension Handshake {
    /// Appends the 101 response, complete with its empty line.
    ///
    /// - Parameters:
    ///   - accept: The value of Sec-WebSocket-Accept.
    ///   - subprotocol: The one that is chosen, which must be among those that the client offered; nil when there is
    ///     none.
    ///   - extensions: The value of Sec-WebSocket-Extensions, which must answer an offer of the client; nil when the
    ///     connection uses none.
    ///   - output: Where to.
    public static func writeResponse(
        accept: String, subprotocol: String?, extensions: String? = nil, into output: inout [UInt8]
    ) {
        output.append(contentsOf: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n".utf8)
        output.append(contentsOf: "Connection: Upgrade\r\nSec-WebSocket-Accept: ".utf8)
        output.append(contentsOf: accept.utf8)
        if let subprotocol {
            output.append(contentsOf: "\r\nSec-WebSocket-Protocol: ".utf8)
            output.append(contentsOf: subprotocol.utf8)
        }
        if let extensions {
            output.append(contentsOf: "\r\nSec-WebSocket-Extensions: ".utf8)
            output.append(contentsOf: extensions.utf8)
        }
        output.append(contentsOf: "\r\n\r\n".utf8)
    }
}

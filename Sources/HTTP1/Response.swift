// An HTTP/1.1 response and how it is written (RFC 9112, section 4). The writer owns the framing, so that no field that
// a script or a handler sets can end the message early or begin another.
//
// Allocates: what the output needs to grow.

/// A response whose body is all there.
public struct Response: Sendable {
    /// The status code, 100 to 999; anything else is sent as 500.
    public var status: Int
    /// The fields in the order they are sent.
    ///
    /// Content-Length and Transfer-Encoding are written by `encode` and left out here, and so is Connection but for a
    /// 101. A field whose name is no token is left out; control bytes in a value become spaces.
    public var fields: [(name: String, value: String)]
    /// The body.
    public var body: [UInt8]

    /// A response with these parts.
    public init(status: Int, fields: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// A response of plain text in UTF-8.
    public static func text(_ status: Int, _ text: String) -> Response {
        Response(status: status, fields: [("Content-Type", "text/plain; charset=utf-8")], body: Array(text.utf8))
    }

    /// Appends the response as it goes over the wire.
    ///
    /// - Parameters:
    ///   - keepAlive: Whether another request may follow on the connection; if not, the peer is told.
    ///   - omitBody: Leaves out the body but not its length, as the answer to HEAD (RFC 9110, section 9.3.2).
    ///   - minorVersion: The peer's version; HTTP/1.0 is told about keep-alive, which HTTP/1.1 takes for granted.
    public func encode(into output: inout [UInt8], keepAlive: Bool, omitBody: Bool = false, minorVersion: Int = 1) {
        let status = 100...999 ~= status ? status : 500
        output.write("HTTP/1.1 \(status) \(HTTPStatus.reason(status))\r\n")
        for field in fields where Self.mayStand(field.name, status: status) {
            output.write(field.name)
            output.write(": ")
            output.writeFieldValue(field.value)
            output.write("\r\n")
        }
        if status != 101, !keepAlive || minorVersion == 0 {
            output.write(keepAlive ? "Connection: keep-alive\r\n" : "Connection: close\r\n")
        }
        guard HTTPStatus.allowsBody(status) else {
            output.write("\r\n")
            return
        }
        output.write("Content-Length: \(body.count)\r\n\r\n")
        if !omitBody { output += body }
    }

    private static func mayStand(_ name: String, status: Int) -> Bool {
        guard !name.isEmpty, name.utf8.allSatisfy(\.isTokenByte) else { return false }
        return switch name.utf8.count {
        case 10: status == 101 || name.lowercased() != "connection"
        case 14: name.lowercased() != "content-length"
        case 17: name.lowercased() != "transfer-encoding"
        default: true
        }
    }
}

extension [UInt8] {
    fileprivate mutating func write(_ text: String) {
        append(contentsOf: text.utf8)
    }

    /// A line end in a value would begin another field, and two of them the body (RFC 9110, section 5.5).
    fileprivate mutating func writeFieldValue(_ value: String) {
        for byte in value.utf8 { append(byte.isControl && byte != ASCII.tab ? ASCII.space : byte) }
    }
}

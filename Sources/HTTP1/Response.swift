// An HTTP/1.1 response and its encoding (RFC 9112, section 4). The writer owns the framing, so no field that a script or
// a handler sets can end the message early or begin another.
//
// Allocates: the growth of the output.

/// A response with its whole body.
public struct Response: Sendable {
    /// The status code, 100 to 999; anything else is sent as 500.
    public var status: Int
    /// The fields in the order they are sent.
    ///
    /// `encode` skips Content-Length, Transfer-Encoding and, except in a 101, Connection: it writes its own. It skips a field
    /// whose name is no token, and writes control bytes in a value as spaces.
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
    ///   - keepAlive: Whether another request may follow on the connection; if not, `Connection: close` says so.
    ///   - omitBody: Omits the body but not its length, for the answer to HEAD (RFC 9110, section 9.3.2).
    ///   - minorVersion: The peer's version; HTTP/1.0 needs `Connection: keep-alive`, HTTP/1.1 implies it.
    public func encode(into output: inout [UInt8], keepAlive: Bool, omitBody: Bool = false, minorVersion: Int = 1) {
        encodeHead(into: &output, keepAlive: keepAlive, minorVersion: minorVersion) { output in
            output.write("Content-Length: ")
            output.write(String(body.count))
            output.write("\r\n")
        }
        if HTTPStatus.allowsBody(status), !omitBody { output += body }
    }

    private func encodeHead(
        into output: inout [UInt8], keepAlive: Bool, minorVersion: Int, framing: (inout OutputSpan<UInt8>) -> Void
    ) {
        let status = 100...999 ~= status ? status : 500
        let room = fields.reduce(128) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
        output.append(addingCapacity: room) { output in
            if status == 200 {
                output.write("HTTP/1.1 200 OK\r\n")
            } else {
                output.write("HTTP/1.1 \(status) \(HTTPStatus.reason(status))\r\n")
            }
            for field in fields where Self.isAllowed(field.name, status: status) {
                output.write(field.name)
                output.write(": ")
                output.writeFieldValue(field.value)
                output.write("\r\n")
            }
            if status != 101, !keepAlive || minorVersion == 0 {
                output.write(keepAlive ? "Connection: keep-alive\r\n" : "Connection: close\r\n")
            }
            if HTTPStatus.allowsBody(status) { framing(&output) }
            output.write("\r\n")
        }
    }

    // MARK: A body in pieces

    /// Appends the head of a response whose body comes in pieces: chunks for HTTP/1.1 (RFC 9112, section 7.1). HTTP/1.0 knows no
    /// chunks, so its body lasts until the connection ends; `keepAlive` is then ignored.
    public func encodeStreamHead(into output: inout [UInt8], keepAlive: Bool, minorVersion: Int = 1) {
        encodeHead(into: &output, keepAlive: keepAlive && minorVersion > 0, minorVersion: minorVersion) { output in
            if minorVersion > 0 { output.write("Transfer-Encoding: chunked\r\n") }
        }
    }

    /// Appends a piece of the body; an empty one adds nothing.
    public static func encode(piece: [UInt8], into output: inout [UInt8], minorVersion: Int = 1) {
        guard !piece.isEmpty else { return }
        if minorVersion > 0 { output += Array("\(String(piece.count, radix: 16))\r\n".utf8) }
        output += piece
        if minorVersion > 0 { output += [ASCII.carriageReturn, ASCII.lineFeed] }
    }

    /// Appends the end of the body.
    public static func encodeEnd(into output: inout [UInt8], minorVersion: Int = 1) {
        if minorVersion > 0 { output += Array("0\r\n\r\n".utf8) }
    }

    private static func isAllowed(_ name: String, status: Int) -> Bool {
        var name = name
        guard !name.isEmpty, name.withUTF8({ $0.allSatisfy(\.isTokenByte) }) else { return false }
        return switch name.utf8.count {
        case 10: status == 101 || name.lowercased() != "connection"
        case 14: name.lowercased() != "content-length"
        case 17: name.lowercased() != "transfer-encoding"
        default: true
        }
    }
}

extension OutputSpan<UInt8> {
    /// Replaces control bytes: a line end in a value would begin another field, and two would begin the body (RFC 9110,
    /// section 5.5).
    fileprivate mutating func writeFieldValue(_ value: String) {
        var value = value
        value.withUTF8 { for byte in $0 { append(byte.isForbiddenInValue ? ASCII.space : byte) } }
    }
}

extension UInt8 {
    fileprivate var isForbiddenInValue: Bool { isControl && self != ASCII.tab }
}

/// The status codes that the server sends, with their reason phrases (RFC 9110, section 15; RFC 6585).
public enum HTTPStatus {
    /// The registered reason phrase; empty for a code that is not listed, which the grammar allows.
    public static func reason(_ status: Int) -> String {
        switch status {
        case 100: "Continue"
        case 101: "Switching Protocols"
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 411: "Length Required"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 421: "Misdirected Request"
        case 422: "Unprocessable Content"
        case 426: "Upgrade Required"
        case 428: "Precondition Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: ""
        }
    }

    /// Whether a response with this status may have a body (RFC 9110, section 6.4.1).
    static func allowsBody(_ status: Int) -> Bool {
        status >= 200 && status != 204 && status != 304
    }
}

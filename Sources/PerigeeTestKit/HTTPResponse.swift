// HTTPResponse: one HTTP/1.1 response, read strictly (RFC 9112): CRLF line ends, a body whose end is known by its length,
// its chunks or the end of the stream.

public import JSON

/// A response with its whole body.
public struct HTTPResponse {
    public let status: Int
    public let reason: String
    /// The fields in the order and with the names as they came.
    public let headers: [(name: String, value: String)]
    public let body: [UInt8]

    /// The value of the first field of that name, upper and lower case alike.
    public func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// The body as text; bytes that are not UTF-8 become U+FFFD.
    public var text: String { String(decoding: body, as: UTF8.self) }

    /// The body as JSON.
    public func json() throws(ClientError) -> JSON {
        try JSON(received: text)
    }

    /// Whether the server will close the connection after this response.
    var endsConnection: Bool { header("Connection")?.lowercased() == "close" }
}

extension HTTPResponse: CustomStringConvertible {
    public var description: String {
        let fields = headers.map { "\n\($0.name): \($0.value)" }.joined()
        return "\(status) \(reason)\(fields)\n\n\(text.prefix(500))"
    }
}

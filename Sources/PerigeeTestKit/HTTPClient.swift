// HTTPClient: HTTP/1.1 requests as a test writes them, over one kept-alive connection or over one each, and the responses,
// read strictly.
//
// Runs on: any thread, one at a time; calls block until their deadline.
// Read next: RawSocket.swift.

public import JSON

/// A client of one HTTP server.
public final class HTTPClient {
    private let host: String
    private let port: Int
    private let timeout: Duration
    private let security: Security
    private var socket: RawSocket?

    /// Connects with the first request.
    public init(
        host: String = "127.0.0.1", port: some BinaryInteger, timeout: Duration = .seconds(5),
        security: Security = .asServed
    ) {
        self.security = security
        self.host = host
        self.port = Int(port)
        self.timeout = timeout
    }

    /// Sends a request on the kept connection, or on a new one when there is none or the server closes it.
    ///
    /// `Host` is set, and `Content-Length` for a body and for a method with one; a name in `headers` replaces them.
    public func request(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8] = []
    ) throws(ClientError) -> HTTPResponse {
        let connection =
            if let socket { socket } else {
                try RawSocket.connect(host: host, port: port, timeout: timeout, security: security)
            }
        socket = nil
        try connection.send(
            Self.head(method, path, host: RawSocket.authority(host, port), headers: headers, body: body) + body)
        let response = try HTTPResponse.read(from: connection, method: method)
        if !response.endsConnection { socket = connection }
        return response
    }

    /// `request` with the body as text.
    public func request(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: String
    ) throws(ClientError) -> HTTPResponse {
        try request(method, path, headers: headers, body: Array(body.utf8))
    }

    /// One request with `Connection: close` on its own connection, which the server must end after its response.
    public static func once(
        _ method: String, _ path: String, host: String = "127.0.0.1", port: some BinaryInteger,
        headers: [(String, String)] = [], body: String = "", timeout: Duration = .seconds(5),
        security: Security = .asServed
    ) throws(ClientError) -> HTTPResponse {
        let client = HTTPClient(host: host, port: port, timeout: timeout)
        let connection = try RawSocket.connect(host: host, port: port, timeout: timeout, security: security)
        client.socket = connection
        let response = try client.request(method, path, headers: headers + [("Connection", "close")], body: body)
        let rest = try connection.readToEnd()
        guard rest.isEmpty else { throw .violation("bytes after the body: \(ClientError.excerpt(rest))") }
        return response
    }

    private static func head(
        _ method: String, _ path: String, host: String, headers: [(String, String)], body: [UInt8]
    ) -> [UInt8] {
        var own = [("Host", host)]
        if !body.isEmpty || ["POST", "PUT", "PATCH"].contains(method) {
            own.append(("Content-Length", "\(body.count)"))
        }
        let replaced = Set(headers.map { $0.0.lowercased() })
        let fields = own.filter { !replaced.contains($0.0.lowercased()) } + headers
        return Array(("\(method) \(path) HTTP/1.1\r\n" + fields.map { "\($0): \($1)\r\n" }.joined() + "\r\n").utf8)
    }
}

/// A response with its whole body, read strictly (RFC 9112): CRLF line ends, and a body that ends by its length, its chunks or
/// the end of the stream.
public struct HTTPResponse {
    public let status: Int
    public let reason: String
    /// The fields in the server's order, with the server's names.
    public let headers: [(name: String, value: String)]
    public let body: [UInt8]

    /// The value of the first field of that name, in any case.
    public func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// The body as text; invalid UTF-8 becomes U+FFFD.
    public var text: String { String(decoding: body, as: UTF8.self) }

    /// The body as JSON.
    public func json() throws(ClientError) -> JSON {
        try JSON(received: text)
    }

    /// Whether the server closes the connection after this response.
    fileprivate var endsConnection: Bool { header("Connection")?.lowercased() == "close" }
}

extension HTTPResponse: CustomStringConvertible {
    public var description: String {
        let fields = headers.map { "\n\($0.name): \($0.value)" }.joined()
        return "\(status) \(reason)\(fields)\n\n\(text.prefix(500))"
    }
}

extension HTTPResponse {
    /// Reads the next response. `method` is the request's: the response to a HEAD has no body.
    ///
    /// An interim response (100 Continue) is skipped unless `skipsInterim` is false; a 101 never is.
    public static func read(
        from socket: RawSocket, method: String, skipsInterim: Bool = true
    ) throws(ClientError) -> HTTPResponse {
        let deadline = Deadline(after: socket.timeout)
        while true {
            let head = try HTTPHead.read(from: socket.reader, by: deadline)
            if skipsInterim, head.status < 200, head.status != 101 { continue }
            let bodiless = head.status < 200 || head.status == 204 || head.status == 304 || method == "HEAD"
            let body = bodiless ? [] : try readBody(of: head, from: socket.reader, by: deadline)
            return HTTPResponse(status: head.status, reason: head.reason, headers: head.fields, body: body)
        }
    }

    private static func readBody(
        of head: HTTPHead, from reader: ByteReader, by deadline: Deadline
    ) throws(ClientError) -> [UInt8] {
        let lengths = head.values("Content-Length")
        let codings = head.values("Transfer-Encoding")
        guard lengths.isEmpty || codings.isEmpty else { throw .violation("both a length and a transfer coding") }
        if let coding = codings.first {
            guard codings.count == 1, coding.lowercased() == "chunked" else { throw .violation("coding \(codings)") }
            return try readChunks(from: reader, by: deadline)
        }
        guard let length = lengths.first else {
            return try reader.readToEnd(for: "the end of the body", by: deadline)
        }
        guard lengths.count == 1, let count = Int(length), count >= 0 else { throw .violation("lengths \(lengths)") }
        return try reader.read(count: count, for: "a body of \(count) bytes", by: deadline)
    }

    private static func readChunks(from reader: ByteReader, by deadline: Deadline) throws(ClientError) -> [UInt8] {
        var body: [UInt8] = []
        while true {
            let line = try HTTPHead.readLine(from: reader, for: "a chunk's size", by: deadline)
            guard let size = Int(line.prefix { $0 != ";" }, radix: 16), size >= 0, size <= 1 << 30 else {
                throw .violation("chunk size \"\(line)\"")
            }
            if size == 0 { break }
            body += try reader.read(count: size, for: "a chunk of \(size) bytes", by: deadline)
            guard try HTTPHead.readLine(from: reader, for: "a chunk's end", by: deadline).isEmpty else {
                throw .violation("a chunk longer than its size")
            }
        }
        while try !HTTPHead.readLine(from: reader, for: "the trailer's end", by: deadline).isEmpty {}
        return body
    }
}

/// The status line and the fields of a response.
private struct HTTPHead {
    let status: Int
    let reason: String
    let fields: [(name: String, value: String)]

    func values(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    static func read(from reader: ByteReader, by deadline: Deadline) throws(ClientError) -> HTTPHead {
        let line = try readLine(from: reader, for: "a status line", by: deadline)
        let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "HTTP/1.1", parts[1].count == 3, let status = Int(parts[1]), status >= 100
        else { throw .violation("status line \"\(line)\"") }
        var fields: [(name: String, value: String)] = []
        while true {
            let line = try readLine(from: reader, for: "the end of the response's head", by: deadline)
            if line.isEmpty { return HTTPHead(status: status, reason: String(parts[2]), fields: fields) }
            fields.append(try field(line))
        }
    }

    /// One line without its CRLF, of at most 64 KiB.
    static func readLine(
        from reader: ByteReader, for wanted: String, by deadline: Deadline
    ) throws(ClientError) -> String {
        let bytes = try reader.read(until: [0x0D, 0x0A], limit: 64 << 10, for: wanted, by: deadline)
        return String(decoding: bytes.dropLast(2), as: UTF8.self)
    }

    private static func field(_ line: String) throws(ClientError) -> (name: String, value: String) {
        guard let colon = line.firstIndex(of: ":") else { throw .violation("header line \"\(line)\"") }
        let name = line[..<colon]
        guard !name.isEmpty, !name.contains(where: { $0 == " " || $0 == "\t" }) else {
            throw .violation("header name \"\(name)\"")
        }
        let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
        let end = value.lastIndex { $0 != " " && $0 != "\t" }.map { value.index(after: $0) } ?? value.startIndex
        return (String(name), String(value[..<end]))
    }
}

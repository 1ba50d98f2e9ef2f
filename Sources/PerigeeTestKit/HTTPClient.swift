// HTTPClient: HTTP/1.1 requests as a test writes them, over one kept-alive connection or over one each.
//
// Runs on: any thread, one at a time; calls block until their deadline.
// Read next: HTTPResponse+Reading.swift

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

    /// Sends a request on the kept connection, on a new one when there is none or the server said it closes it.
    ///
    /// `Host` is set, and `Content-Length` when there is a body or the method wants one; a name in `headers` replaces them.
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

    /// One request with `Connection: close` on a connection of its own, which the server must end after its response.
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

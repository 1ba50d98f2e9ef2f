// A server on the same loop as the client under test: the test decides when each of them runs. Each connection
// recognises requests and answers with the bytes of the test.

import EventLoop
import Glibc

/// A server that listens on its own port and answers as the test says.
final class Backend {
    private(set) var connections: [BackendConnection] = []
    private(set) var requests: [BackendRequest] = []
    /// Connections that have not been closed.
    private(set) var open = 0
    /// 200 with the path as its body, unless a test says otherwise.
    var answer: (BackendConnection, BackendRequest) -> Void = { $0.reply("200 OK", [], $1.path) }
    /// Called before anything is received.
    var accepted: (BackendConnection) -> Void = { _ in }
    private var listener: Listener!

    init(on loop: EventLoop, security: TLSContext? = nil) throws {
        listener = try Listener(SocketAddress(host: "127.0.0.1", port: 0)!, isShared: false, on: loop) {
            [unowned self, unowned loop] descriptor, peer in
            let connection = BackendConnection(descriptor: descriptor, peer: peer, on: loop)
            connections.append(connection)
            open += 1
            connection.closed = { [weak self] in self?.open -= 1 }
            connection.answer = { [weak self] connection, request in
                self?.requests.append(request)
                self?.answer(connection, request)
            }
            accepted(connection)
            if let security { connection.startTLS(security) }
        }
    }

    var port: UInt16 { listener.address.port }

    func url(_ path: String = "/", host: String = "127.0.0.1") -> String { "http://\(host):\(port)\(path)" }
}

/// A request as it came.
struct BackendRequest {
    let line: String
    /// Names in lower case.
    let fields: [String: String]
    let body: [UInt8]

    var path: String { String(line.split(separator: " ")[1]) }
}

final class BackendConnection: Socket {
    /// Called for each request, and with nil when the peer has hung up.
    var answer: (BackendConnection, BackendRequest) -> Void = { _, _ in }
    /// Called for all bytes that arrive while `isRaw`.
    var arrived: (BackendConnection) -> Void = { _ in }
    var closed: () -> Void = {}
    private(set) var bytes: [UInt8] = []
    /// Whether arriving bytes are not read.
    var isRaw = false

    override func received(_ bytes: UnsafeMutableRawBufferPointer) {
        self.bytes += bytes
        if isRaw { return arrived(self) }
        while let request = takeRequest() { answer(self, request) }
    }

    override func didClose() { closed() }

    func send(_ text: String) { send(Array(text.utf8)) }
    func send(_ bytes: [UInt8]) { bytes.withUnsafeBytes { write($0) } }

    /// A whole response.
    func reply(_ status: String = "200 OK", _ fields: [String] = [], _ body: String = "") {
        let head = ["HTTP/1.1 \(status)"] + fields + ["Content-Length: \(body.utf8.count)"]
        send(head.joined(separator: "\r\n") + "\r\n\r\n" + body)
    }

    func takeBytes() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    private func takeRequest() -> BackendRequest? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.utf8.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let lines = String(text[..<end.lowerBound]).split(separator: "\r\n")
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            fields[parts[0].lowercased()] = parts.count == 2 ? String(parts[1].drop { $0 == " " }) : ""
        }
        let start = text.utf8.distance(from: text.startIndex, to: end.upperBound)
        let count = Int(fields["content-length"] ?? "0")!
        guard bytes.count >= start + count else { return nil }
        let body = Array(bytes[start..<(start + count)])
        bytes.removeFirst(start + count)
        return BackendRequest(line: String(lines[0]), fields: fields, body: body)
    }
}

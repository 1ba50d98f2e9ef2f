// What broken servers answer, and what a client is to make of it.

import HTTPClient
import Testing

/// What a server does in place of a response.
struct Fault: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: String
    var hangsUp = false
    let reason: HTTPClientError.Reason

    var testDescription: String { name }

    static let all: [Fault] = [
        Fault(name: "silence", bytes: "", reason: .timeout),
        Fault(name: "half a head, then silence", bytes: "HTTP/1.1 200 OK\r\nX-Half: ", reason: .timeout),
        Fault(name: "1xx, then silence", bytes: "HTTP/1.1 103 Early Hints\r\n\r\n", reason: .timeout),
        Fault(
            name: "half a body, then silence", bytes: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
            reason: .timeout),
        Fault(
            name: "half a chunk, then silence", bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf",
            reason: .timeout),
        Fault(name: "the end", bytes: "", hangsUp: true, reason: .disconnected),
        Fault(
            name: "half a head, then the end", bytes: "HTTP/1.1 200 OK\r\nX-Ha", hangsUp: true, reason: .disconnected),
        Fault(
            name: "half a body, then the end", bytes: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", hangsUp: true,
            reason: .disconnected),
        Fault(
            name: "half a chunk, then the end",
            bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf", hangsUp: true,
            reason: .disconnected),
        Fault(name: "garbage", bytes: "\u{1}\u{2}SSH-2.0-x\r\n\r\n", hangsUp: true, reason: .invalidResponse),
        Fault(name: "HTTP/0.9", bytes: "<html>hello</html>", hangsUp: true, reason: .invalidResponse),
        Fault(
            name: "a length that is no number", bytes: "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nx",
            hangsUp: true,
            reason: .invalidResponse),
        Fault(
            name: "a negative length", bytes: "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nx", hangsUp: true,
            reason: .invalidResponse),
        Fault(
            name: "a chunk whose size is no number",
            bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n0\r\n\r\n", reason: .invalidResponse
        ),
        Fault(
            name: "a chunk longer than it says",
            bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n",
            reason: .invalidResponse),
        Fault(
            name: "a body that says that it is too large", bytes: "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
            reason: .tooLarge),
        Fault(
            name: "a body that is too large without having said so",
            bytes: "HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 1001), reason: .tooLarge),
        Fault(
            name: "chunks that are too large together",
            bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + String(repeating: "a\r\n0123456789\r\n", count: 101), reason: .tooLarge),
    ]
}

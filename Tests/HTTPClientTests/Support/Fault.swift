// The answers of broken servers, and the error of a client for each; and answers that have no end.

import HTTPClient
import Testing

/// A server's action in place of a response.
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

/// The beginning of an answer, and the bytes that are then repeated for ever.
struct EndlessAnswer: Sendable, CustomTestStringConvertible {
    let name: String
    let start: String
    let rest: String
    var reason = HTTPClientError.Reason.tooLarge

    var testDescription: String { name }

    static let all: [EndlessAnswer] = [
        EndlessAnswer(name: "a body", start: "HTTP/1.1 200 OK\r\n\r\n", rest: String(repeating: "x", count: 4096)),
        EndlessAnswer(
            name: "chunks", start: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", rest: "1\r\nx\r\n"),
        EndlessAnswer(name: "header fields", start: "HTTP/1.1 200 OK\r\n", rest: "X-More: and more\r\n"),
        EndlessAnswer(
            name: "one header field", start: "HTTP/1.1 200 OK\r\nX-Long: ", rest: String(repeating: "y", count: 4096)),
        EndlessAnswer(name: "a status line", start: "HTTP/1.1 200 O", rest: String(repeating: "K", count: 4096)),
        EndlessAnswer(name: "interim responses", start: "", rest: "HTTP/1.1 100 Continue\r\n\r\n"),
        EndlessAnswer(
            name: "trailers", start: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            rest: "X-More: and more\r\n"),
        EndlessAnswer(
            name: "one trailer", start: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ",
            rest: String(repeating: "z", count: 4096), reason: .invalidResponse),
        EndlessAnswer(
            name: "a chunk extension", start: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
            // libcurl skips it, and only the time limit ends it.
            rest: String(repeating: "e", count: 4096), reason: .timeout),
    ]
}

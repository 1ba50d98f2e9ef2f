// Answers that have no end.

import HTTPClient
import Testing

/// How an answer begins, and what is then repeated for ever.
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
            // libcurl reads over it, and only time ends it.
            rest: String(repeating: "e", count: 4096), reason: .timeout),
    ]
}

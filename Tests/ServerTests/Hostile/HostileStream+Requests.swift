// Bytes in place of a request: other protocols, broken syntax, heads that two servers might read in two ways, and connections
// that end early.
// Read next: HostileStream+Handshakes.swift

import PerigeeTestKit

extension HostileStream {
    static let requests = otherProtocols + brokenSyntax + smuggling + earlyEnds

    private static let good = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

    private static let otherProtocols: [HostileStream] = [
        .request(
            "a TLS hello", [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3] + Array(repeating: 0x42, count: 200), .status(400)),
        .request("a WebSocket frame before the handshake", ClientFrame.text("hello").bytes, .status(400)),
        .request("the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .status(505)),
        .request("an SSH greeting", "SSH-2.0-OpenSSH_9.2p1\r\n", .status(400)),
        .request("a Redis command", "*1\r\n$4\r\nPING\r\n", .status(400)),
        .request("a mail client's greeting", "EHLO example.org\r\n", .status(400)),
        .request("a SOCKS hello", [5, 1, 0], .status(400)),
        .request("an RTSP request", "OPTIONS * RTSP/1.0\r\n\r\n", .status(400)),
        .request("JSON", "{\"hello\": \"world\"}\n", .status(400)),
        .request("zeros", Array(repeating: 0, count: 1000), .status(400)),
        .request("high bytes", Array(repeating: 0xFF, count: 1000), .status(400)),
        .request("one endless word", String(repeating: "A", count: 100_000), .status(400)),
        .request("an endless path", "GET /" + String(repeating: "a", count: 100_000), .status(414)),
        .request(
            "an endless field", "GET / HTTP/1.1\r\nHost: h\r\nA: " + String(repeating: "b", count: 100_000),
            .status(431)),
        .request("endless fields", "GET / HTTP/1.1\r\n" + String(repeating: "A: b\r\n", count: 2000), .status(431)),
        .request("endless empty lines", String(repeating: "\r\n", count: 1000), .status(400)),
    ]

    private static let brokenSyntax: [HostileStream] = [
        .request("HTTP/0.9", "GET /\r\n", .status(400)),
        .request("HTTP/3.0", "GET / HTTP/3.0\r\nHost: h\r\n\r\n", .status(505)),
        .request("line feeds alone", "GET / HTTP/1.1\nHost: h\n\n", .status(400)),
        .request("carriage returns alone", "GET / HTTP/1.1\rHost: h\r\r", .status(400)),
        .request("a NUL in a value", "GET / HTTP/1.1\r\nHost: h\r\nA: \0\r\n\r\n", .status(400)),
        .request("a folded field", "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n", .status(400)),
        .request("a blank before a colon", "GET / HTTP/1.1\r\nHost : h\r\n\r\n", .status(400)),
        .request("a field without a colon", "GET / HTTP/1.1\r\nHost: h\r\nnonsense\r\n\r\n", .status(400)),
        .request("no Host", "GET / HTTP/1.1\r\n\r\n", .status(400)),
        .request("two Hosts", "GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n", .status(400)),
        .request("a response", "HTTP/1.1 200 OK\r\n\r\n", .status(400)),
        .request("a method in lower case that is none", "get\r\n\r\n", .status(400)),
        .request("two blanks behind the method", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", .status(400)),
        .request("a tab behind the method", "GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", .status(400)),
        .request("a version of another case", "GET / http/1.1\r\nHost: h\r\n\r\n", .status(400)),
        .request("a version with a sign", "GET / HTTP/+1.1\r\nHost: h\r\n\r\n", .status(400)),
        .request("a fragment in the target", "GET /#a HTTP/1.1\r\nHost: h\r\n\r\n", .status(400)),
        .request("a target of another scheme", "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n", .status(400)),
        .request("a user in the target", "GET http://a@h/ HTTP/1.1\r\nHost: h\r\n\r\n", .status(400)),
        .request("an asterisk to GET", "GET * HTTP/1.1\r\nHost: h\r\n\r\n", .status(400)),
        .request("a DEL in a name", "GET / HTTP/1.1\r\nHost: h\r\nA\u{7F}: b\r\n\r\n", .status(400)),
        .request("a field before the first", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", .status(400)),
        .request("a Host with a blank", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", .status(400)),
        .request("a Host with a path", "GET / HTTP/1.1\r\nHost: h/a\r\n\r\n", .status(400)),
        .request("a Host with a port too high", "GET / HTTP/1.1\r\nHost: h:65536\r\n\r\n", .status(400)),
        .request("a Host that lists two", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", .status(400)),
        .request("a proxy's CONNECT", "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n", .status(400)),
        .request("a path that is not ASCII", "GET /\u{E4} HTTP/1.1\r\nHost: h\r\n\r\n", .status(400)),
        .request("an expectation nobody knows", "GET / HTTP/1.1\r\nHost: h\r\nExpect: wonders\r\n\r\n", .status(417)),
        .request("a path out of the folder", "GET /../../etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n", .status(426)),
    ]

    private static let smuggling: [HostileStream] = [
        post(
            "a length and chunks", "Content-Length: 4\r\nTransfer-Encoding: chunked", "0\r\n\r\n" + good, .status(400)),
        post(
            "chunks and a length", "Transfer-Encoding: chunked\r\nContent-Length: 4", "0\r\n\r\n" + good, .status(400)),
        post("two lengths", "Content-Length: 0\r\nContent-Length: 44", good, .status(400)),
        post("a list of lengths", "Content-Length: 0, 44", good, .status(400)),
        post("a signed length", "Content-Length: +44", good, .status(400)),
        post("a length beyond 64 bits", "Content-Length: 18446744073709551616", good, .status(400)),
        post("a length with a blank before its colon", "Content-Length : 44", good, .status(400)),
        post("an encoding that only ends in chunked", "Transfer-Encoding: xchunked", good, .status(400)),
        post("chunked and something", "Transfer-Encoding: chunked, identity", good, .status(400)),
        post("an encoding behind a vertical tab", "Transfer-Encoding:\u{0B}chunked", good, .status(400)),
        post("a request inside a body", "Content-Length: \(good.utf8.count)", good, .status(426)),
        post("a request behind a body in chunks", "Transfer-Encoding: chunked", "0\r\n\r\n" + good, .status(426)),
        post("a chunk of a negative size", "Transfer-Encoding: chunked", "-1\r\n" + good, .status(426)),
        post("chunks in HTTP/1.1 and identity", "Transfer-Encoding: identity", good, .status(400)),
        post(
            "chunks twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n" + good, .status(400)
        ),
        post("a length in hexadecimal", "Content-Length: 0x2C", good, .status(400)),
        post("an empty length", "Content-Length:", good, .status(400)),
        post("the same length twice", "Content-Length: 44\r\nContent-Length: 44", good, .status(400)),
        post("a body over the limit", "Content-Length: 99999999999", good, .status(413)),
    ]

    private static let earlyEnds: [HostileStream] = [
        .request("nothing, then the end", "", .silence, .halfCloses),
        .request("nothing, then a reset", "", .unknown, .resets),
        .request("half a request line, then the end", "GET /ec", .silence, .halfCloses),
        .request("half a request line, then a reset", "GET /ec", .unknown, .resets),
        .request("half a head, then the end", "GET / HTTP/1.1\r\nHost: ", .silence, .halfCloses),
        .request("half a head, then a reset", "GET / HTTP/1.1\r\nHost: ", .unknown, .resets),
        .request("a request, then a reset", good, .unknown, .resets),
        .request("a handshake, then a reset", WebSocketClient.request(path: "/echo", host: "h"), .unknown, .resets),
        .request(
            "a handshake and a message, then a reset",
            Array(WebSocketClient.request(path: "/echo", host: "h").utf8) + ClientFrame.text("hello").bytes, .unknown,
            .resets),
    ]

    private static func post(_ rule: String, _ fields: String, _ body: String, _ fate: Fate) -> HostileStream {
        .request(rule, "POST / HTTP/1.1\r\nHost: h\r\n\(fields)\r\n\r\n\(body)", fate)
    }
}

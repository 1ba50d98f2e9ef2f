// The requests that the parser must refuse, each with the reason.

import HTTP1
import Testing

/// A row of the table of bad requests.
struct BadRequest: CustomTestStringConvertible {
    let rule: String
    let bytes: [UInt8]
    let error: HTTPError

    init(_ rule: String, _ bytes: [UInt8], _ error: HTTPError) {
        self.rule = rule
        self.bytes = bytes
        self.error = error
    }

    init(_ rule: String, _ text: String, _ error: HTTPError) {
        self.init(rule, Array(text.utf8), error)
    }

    var testDescription: String { rule }

    static let all =
        garbage + requestLines + versions + targets + lineEnds + fieldLines + hosts + lengths + encodings + chunks
        + trailers + expectations

    /// A request with these field lines behind a good Host.
    private static func with(_ rule: String, _ fields: String, _ error: HTTPError) -> BadRequest {
        BadRequest(rule, "POST / HTTP/1.1\r\nHost: h\r\n\(fields)\r\n\r\n", error)
    }

    private static func line(_ rule: String, _ line: String, _ error: HTTPError = .badRequestLine) -> BadRequest {
        BadRequest(rule, "\(line)\r\nHost: h\r\n\r\n", error)
    }

    private static func host(_ rule: String, _ value: String, _ error: HTTPError = .badHost) -> BadRequest {
        BadRequest(rule, "GET / HTTP/1.1\r\nHost: \(value)\r\n\r\n", error)
    }

    private static func chunk(_ rule: String, _ text: String, _ error: HTTPError = .badChunk) -> BadRequest {
        BadRequest(rule, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\(text)", error)
    }

    private static let garbage: [BadRequest] = [
        .init("a TLS hello", [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xFC, 0x03, 0x03], .badRequestLine),
        .init("the first byte of a TLS hello", [0x16], .badRequestLine),
        .init("high bytes", [0xFF, 0xFE, 0x80], .badRequestLine),
        .init("zeros", [0, 0, 0, 0], .badRequestLine),
        .init("a WebSocket frame", [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D], .badRequestLine),
        .init("one word that does not end", String(repeating: "A", count: 33), .badRequestLine),
        .init("JSON", "{\"a\":1}", .badRequestLine),
        .init("an SSH greeting", "SSH-2.0-OpenSSH_9.2p1\r\n", .badRequestLine),
        .init("a response", "HTTP/1.1 200 OK\r\n\r\n", .badRequestLine),
        .init("two empty lines before", "\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", .badRequestLine),
        .init("a carriage return before", "\rGET / HTTP/1.1\r\nHost: h\r\n\r\n", .bareCarriageReturn),
        .init("a line feed before", "\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", .badRequestLine),
    ]

    private static let requestLines: [BadRequest] = [
        line("HTTP/0.9", "GET /"),
        line("a blank before the method", " GET / HTTP/1.1"),
        line("two blanks behind the method", "GET  / HTTP/1.1"),
        line("two blanks before the version", "GET /  HTTP/1.1"),
        line("a blank behind the version", "GET / HTTP/1.1 "),
        line("a tab between", "GET\t/ HTTP/1.1"),
        line("a tab before the version", "GET /\tHTTP/1.1"),
        line("no target", "GET HTTP/1.1"),
        line("no version", "GET / "),
        line("only a method", "GET"),
        line("a blank in the target", "GET /a b HTTP/1.1"),
        line("a method that is no token", "GE(T / HTTP/1.1"),
        line("a method with a colon", "GET: / HTTP/1.1"),
        line("a field as request line", "Host: h"),
    ]

    private static let versions: [BadRequest] = [
        line("HTTP/2.0", "GET / HTTP/2.0", .versionNotSupported),
        line("HTTP/0.9 spelt out", "GET / HTTP/0.9", .versionNotSupported),
        line("HTTP/3.1", "GET / HTTP/3.1", .versionNotSupported),
        .init("the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .versionNotSupported),
        line("http/1.1", "GET / http/1.1"),
        line("HTTP/1.10", "GET / HTTP/1.10"),
        line("HTTP/11", "GET / HTTP/11"),
        line("HTTP/1,1", "GET / HTTP/1,1"),
        line("HTTP/1.x", "GET / HTTP/1.x"),
        line("HTTP/-1.1", "GET / HTTP/-1.1"),
        line("HTTPS/1.1", "GET / HTTPS/1.1"),
        line("SIP", "OPTIONS sip:a SIP/2.0"),
        line("RTSP", "OPTIONS * RTSP/1.0"),
    ]

    private static let targets: [BadRequest] = [
        line("* but for OPTIONS", "GET * HTTP/1.1"),
        line("** for OPTIONS", "OPTIONS ** HTTP/1.1"),
        line("authority form", "CONNECT h:443 HTTP/1.1"),
        line("a relative path", "GET a HTTP/1.1"),
        line("a query alone", "GET ?a HTTP/1.1"),
        line("a fragment", "GET /#a HTTP/1.1"),
        line("not ASCII", "GET /ä HTTP/1.1"),
        line("DEL", "GET /\u{7F} HTTP/1.1", .controlByte),
        line("NUL", "GET /\0 HTTP/1.1", .controlByte),
        line("another scheme", "GET ftp://h/ HTTP/1.1"),
        line("a scheme alone", "GET http: HTTP/1.1"),
        line("no authority", "GET http:/// HTTP/1.1", .badHost),
        line("user information", "GET http://a@h/ HTTP/1.1", .badHost),
        line("a bad port", "GET http://h:x/ HTTP/1.1", .badHost),
        line("a backslash in the authority", "GET http://h\\/ HTTP/1.1", .badHost),
    ]

    private static let lineEnds: [BadRequest] = [
        .init("LF behind the request line", "GET / HTTP/1.1\nHost: h\r\n\r\n", .bareLineFeed),
        .init("LF behind a field", "GET / HTTP/1.1\r\nHost: h\n\r\n", .bareLineFeed),
        .init("LF as the empty line", "GET / HTTP/1.1\r\nHost: h\r\n\n", .bareLineFeed),
        .init("LF throughout", "GET / HTTP/1.1\nHost: h\n\n", .bareLineFeed),
        .init("CR behind the request line", "GET / HTTP/1.1\rHost: h\r\n\r\n", .bareCarriageReturn),
        .init("CR in a value", "GET / HTTP/1.1\r\nHost: h\r\nA: b\rc\r\n\r\n", .bareCarriageReturn),
        .init("CR CR LF", "GET / HTTP/1.1\r\nHost: h\r\r\n\r\n", .bareCarriageReturn),
        .init("CR as the empty line", "GET / HTTP/1.1\r\nHost: h\r\n\rX", .bareCarriageReturn),
        .init("CR in a name", "GET / HTTP/1.1\r\nHost: h\r\nA\rB: c\r\n\r\n", .bareCarriageReturn),
    ]

    private static let fieldLines: [BadRequest] = [
        with("no colon", "A", .badField),
        with("no name", ": b", .badField),
        with("a blank before the colon", "A : b", .badField),
        with("a tab before the colon", "A\t: b", .badField),
        with("a blank before Content-Length's colon", "Content-Length : 5", .badField),
        with("a blank in a name", "A B: c", .badField),
        with("a name with parentheses", "A(b): c", .badField),
        with("a name with a slash", "A/b: c", .badField),
        with("a name that is not ASCII", "Ä: b", .badField),
        with("a name in quotes", "\"A\": b", .badField),
        with("a folded field", "A: b\r\n c", .obsoleteFolding),
        with("a field folded with a tab", "A: b\r\n\tc", .obsoleteFolding),
        with("a folded Transfer-Encoding", "Transfer-Encoding: chunked\r\n x", .obsoleteFolding),
        with("a line of blanks", "A: b\r\n  ", .obsoleteFolding),
        .init("a blank before the first field", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", .obsoleteFolding),
        with("NUL in a value", "A: b\0c", .controlByte),
        with("NUL in a name", "A\0: b", .controlByte),
        with("an escape in a value", "A: \u{1B}[2J", .controlByte),
        with("DEL in a value", "A: \u{7F}", .controlByte),
        with("a vertical tab as blank", "Transfer-Encoding: \u{0B}chunked", .controlByte),
        with("a form feed as blank", "Content-Length: 5\u{0C}", .controlByte),
    ]

    private static let hosts: [BadRequest] = [
        .init("no Host", "GET / HTTP/1.1\r\n\r\n", .missingHost),
        .init("no Host, absolute target", "GET http://h/ HTTP/1.1\r\n\r\n", .missingHost),
        host("two Hosts", "h\r\nHost: i", .severalHosts),
        host("the same Host twice", "h\r\nhost: h", .severalHosts),
        .init("two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: h\r\nHost: h\r\n\r\n", .severalHosts),
        .init("a bad Host in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a b\r\n\r\n", .badHost),
        host("an empty Host", ""),
        host("two Hosts in one", "a, b"),
        host("two Hosts in one without a blank", "a,b"),
        host("a blank inside", "a b"),
        host("user information", "user@h"),
        host("a path", "h/x"),
        host("a URL", "http://h"),
        host("only a port", ":80"),
        host("a port with letters", "h:80x"),
        host("a port with a sign", "h:+80"),
        host("a port too high", "h:65536"),
        host("a port of six digits", "h:000080"),
        host("two ports", "h:80:80"),
        host("not ASCII", "hä"),
        host("a broken escape", "a%2"),
        host("an escape that is not hexadecimal", "a%zz"),
        host("an open bracket", "[::1"),
        host("a bracket too many", "[::1]]"),
        host("text behind the bracket", "[::1]a"),
        host("a name in brackets", "[localhost]"),
        host("nothing in brackets", "[]"),
        host("IPv6 without brackets", "::1"),
        host("a NUL", "h\0", .controlByte),
    ]

    private static let lengths: [BadRequest] = [
        with("not a number", "Content-Length: x", .badContentLength),
        with("an empty length", "Content-Length:", .badContentLength),
        with("a plus", "Content-Length: +5", .badContentLength),
        with("a minus", "Content-Length: -5", .badContentLength),
        with("hexadecimal", "Content-Length: 0x5", .badContentLength),
        with("a fraction", "Content-Length: 5.0", .badContentLength),
        with("an exponent", "Content-Length: 1e3", .badContentLength),
        with("a blank inside", "Content-Length: 5 5", .badContentLength),
        with("a list of equal lengths", "Content-Length: 5, 5", .badContentLength),
        with("a list of lengths", "Content-Length: 5,6", .badContentLength),
        with("a length in quotes", "Content-Length: \"5\"", .badContentLength),
        with("digits of another script", "Content-Length: ５", .badContentLength),
        with("over 64 bits", "Content-Length: 18446744073709551621", .badContentLength),
        with("over 63 bits", "Content-Length: 9223372036854775808", .badContentLength),
        with("19 digits", "Content-Length: 0000000000000000005", .badContentLength),
        with("two lengths", "Content-Length: 5\r\nContent-Length: 6", .conflictingLength),
        with("the same length twice", "Content-Length: 5\r\ncontent-length: 5", .conflictingLength),
        with("two lengths, the second empty", "Content-Length: 5\r\nContent-Length:", .conflictingLength),
        with("length and chunks", "Content-Length: 5\r\nTransfer-Encoding: chunked", .conflictingLength),
        with("chunks and length", "Transfer-Encoding: chunked\r\nContent-Length: 5", .conflictingLength),
        with("chunks and length 0", "Transfer-Encoding: chunked\r\nContent-Length: 0", .conflictingLength),
        with("over the limit", "Content-Length: 1048577", .bodyTooLarge),
        with("far over the limit", "Content-Length: 999999999999999999", .bodyTooLarge),
    ]

    private static let encodings: [BadRequest] = [
        with("xchunked", "Transfer-Encoding: xchunked", .unsupportedTransferEncoding),
        with("chunkedx", "Transfer-Encoding: chunkedx", .unsupportedTransferEncoding),
        with("chunked twice", "Transfer-Encoding: chunked, chunked", .unsupportedTransferEncoding),
        with("chunked, identity", "Transfer-Encoding: chunked, identity", .unsupportedTransferEncoding),
        with("identity", "Transfer-Encoding: identity", .unsupportedTransferEncoding),
        with("gzip, chunked", "Transfer-Encoding: gzip, chunked", .unsupportedTransferEncoding),
        with("chunked with a comma", "Transfer-Encoding: chunked,", .unsupportedTransferEncoding),
        with("a comma and chunked", "Transfer-Encoding: ,chunked", .unsupportedTransferEncoding),
        with("chunked with a parameter", "Transfer-Encoding: chunked;q=1", .unsupportedTransferEncoding),
        with("chunked in quotes", "Transfer-Encoding: \"chunked\"", .unsupportedTransferEncoding),
        with("an empty encoding", "Transfer-Encoding:", .unsupportedTransferEncoding),
        with("two fields", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", .unsupportedTransferEncoding),
        with("a second field", "Transfer-Encoding: chunked\r\nTransfer-Encoding: x", .unsupportedTransferEncoding),
        with("a no-break space before chunked", "Transfer-Encoding: \u{00A0}chunked", .unsupportedTransferEncoding),
        .init(
            "chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .unsupportedTransferEncoding
        ),
    ]

    private static let chunks: [BadRequest] = [
        chunk("no size", "\r\n"),
        chunk("a size that is no number", "x\r\n"),
        chunk("a size with a sign", "+5\r\nhello\r\n"),
        chunk("a negative size", "-1\r\n"),
        chunk("a size with a prefix", "0x5\r\nhello\r\n"),
        chunk("a blank before the size", " 5\r\nhello\r\n"),
        chunk("a blank behind the size", "5 \r\nhello\r\n"),
        chunk("a blank before an extension", "5 ;a\r\nhello\r\n"),
        chunk("a size of 16 digits", "0000000000000005\r\nhello\r\n"),
        chunk("a size over 64 bits", "10000000000000005\r\nhello\r\n"),
        chunk("LF behind the size", "5\nhello\r\n"),
        chunk("CR behind the size", "5\rhello\r\n"),
        chunk("an extension without a size", ";a\r\n"),
        chunk("LF in an extension", "5;a\nhello\r\n"),
        chunk("CR in an extension", "5;a\rb\r\nhello\r\n"),
        chunk("NUL in an extension", "5;\0\r\nhello\r\n"),
        chunk("data longer than the size", "4\r\nhello\r\n0\r\n\r\n"),
        chunk("data shorter than the size", "6\r\nhello\r\n0\r\n\r\n"),
        chunk("LF behind data", "5\r\nhello\n0\r\n\r\n"),
        chunk("CR behind data", "5\r\nhello\r0\r\n\r\n"),
        chunk("another byte for the CR behind data", "5\r\nhelloX\n0\r\n\r\n"),
        chunk("another byte for the LF behind data", "5\r\nhello\rX0\r\n\r\n"),
        chunk("a size over the limit", "100001\r\n", .bodyTooLarge),
        chunk("the largest size", "fffffffffffffff\r\n", .bodyTooLarge),
        chunk("two sizes over the limit", "1\r\nx\r\n100000\r\n", .bodyTooLarge),
    ]

    private static let trailers: [BadRequest] = [
        chunk("a trailer without a name", "0\r\n: b\r\n\r\n", .badField),
        chunk("a trailer without a colon", "0\r\nA\r\n\r\n", .badField),
        chunk("a blank before a trailer's colon", "0\r\nA : b\r\n\r\n", .badField),
        chunk("a folded trailer", "0\r\nA: b\r\n c\r\n\r\n", .obsoleteFolding),
        chunk("LF behind a trailer", "0\r\nA: b\n\r\n", .bareLineFeed),
        chunk("LF as the end of trailers", "0\r\n\n", .bareLineFeed),
        chunk("CR as the end of trailers", "0\r\n\rX", .bareCarriageReturn),
        chunk("CR in a trailer", "0\r\nA: b\rc\r\n\r\n", .bareCarriageReturn),
        chunk("NUL in a trailer", "0\r\nA: \0\r\n\r\n", .controlByte),
        chunk("the next request as trailer", "0\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", .badField),
    ]

    private static let expectations: [BadRequest] = [
        with("another expectation", "Expect: wonders", .expectationFailed),
        with("two expectations", "Expect: 100-continue, wonders", .expectationFailed),
        with("a list that ends with another", "Expect: 100-continue, ,x", .expectationFailed),
        with("a longer word", "Expect: 100-continued", .expectationFailed),
        with("another beside 100-continue", "Expect: 100-continue\r\nExpect: x", .expectationFailed),
    ]
}

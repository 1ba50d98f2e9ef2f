// The requests that the parser must accept, and their meaning.

import HTTP1
import Testing

/// A row of the table of good requests.
struct GoodRequest: CustomTestStringConvertible {
    let rule: String
    let text: String
    /// `METHOD path ?query HTTP/1.x host keep|close framing`, with `-` for a missing part.
    let summary: String
    let body: String

    init(_ rule: String, _ text: String, _ summary: String, body: String = "") {
        self.rule = rule
        self.text = text
        self.summary = summary
        self.body = body
    }

    var testDescription: String { rule }

    static func summary(of head: RequestHead) -> String {
        let framing =
            switch head.body {
            case .none: "none"
            case .length(let length): "\(length)"
            case .chunked: "chunked"
            }
        let query = head.query.map { "?\($0)" } ?? "-"
        let persistence = head.keepAlive ? "keep" : "close"
        return "\(head.methodText) \(head.path) \(query) HTTP/1.\(head.minorVersion) \(head.host ?? "-") "
            + "\(persistence) \(framing)"
    }

    static let all = requestLines + hosts + fields + persistence + lengths + chunks

    private static let requestLines: [GoodRequest] = [
        .init("the shortest request", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / - HTTP/1.1 h keep none"),
        .init("HEAD", "HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n", "HEAD /x - HTTP/1.1 h keep none"),
        .init("PUT", "PUT /x HTTP/1.1\r\nHost: h\r\n\r\n", "PUT /x - HTTP/1.1 h keep none"),
        .init("DELETE", "DELETE /x HTTP/1.1\r\nHost: h\r\n\r\n", "DELETE /x - HTTP/1.1 h keep none"),
        .init("PATCH", "PATCH /x HTTP/1.1\r\nHost: h\r\n\r\n", "PATCH /x - HTTP/1.1 h keep none"),
        .init("a method nobody knows", "M-SEARCH / HTTP/1.1\r\nHost: h\r\n\r\n", "M-SEARCH / - HTTP/1.1 h keep none"),
        .init("a method in lower case", "get / HTTP/1.1\r\nHost: h\r\n\r\n", "get / - HTTP/1.1 h keep none"),
        .init("OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS * - HTTP/1.1 h keep none"),
        .init("a query", "GET /a?b=c&d HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a ?b=c&d HTTP/1.1 h keep none"),
        .init("an empty query", "GET /a? HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a ? HTTP/1.1 h keep none"),
        .init("a second ? is query", "GET /a?b?c HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a ?b?c HTTP/1.1 h keep none"),
        .init("escapes stay", "GET /%C3%A4%20b HTTP/1.1\r\nHost: h\r\n\r\n", "GET /%C3%A4%20b - HTTP/1.1 h keep none"),
        .init("browsers' {|}", "GET /?{a|b}^` HTTP/1.1\r\nHost: h\r\n\r\n", "GET / ?{a|b}^` HTTP/1.1 h keep none"),
        .init("two slashes", "GET //evil/x HTTP/1.1\r\nHost: h\r\n\r\n", "GET //evil/x - HTTP/1.1 h keep none"),
        .init("a colon in a path", "GET /a:80 HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a:80 - HTTP/1.1 h keep none"),
        .init("absolute form", "GET http://a.b/c?d HTTP/1.1\r\nHost: h\r\n\r\n", "GET /c ?d HTTP/1.1 a.b keep none"),
        .init("absolute, https", "GET HTTPS://a:443/ HTTP/1.1\r\nHost: h\r\n\r\n", "GET / - HTTP/1.1 a:443 keep none"),
        .init("absolute, no path", "GET http://a.b HTTP/1.1\r\nHost: h\r\n\r\n", "GET / - HTTP/1.1 a.b keep none"),
        .init(
            "absolute, only query", "GET http://a?x=/ HTTP/1.1\r\nHost: h\r\n\r\n", "GET / ?x=/ HTTP/1.1 a keep none"),
        .init("a later minor version", "GET / HTTP/1.7\r\nHost: h\r\n\r\n", "GET / - HTTP/1.1 h keep none"),
        .init("one empty line before", "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / - HTTP/1.1 h keep none"),
    ]

    private static let hosts: [GoodRequest] = [
        .init("HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", "GET / - HTTP/1.0 - close none"),
        .init("host and port", "GET / HTTP/1.1\r\nHost: a-b.c:8080\r\n\r\n", "GET / - HTTP/1.1 a-b.c:8080 keep none"),
        .init("an empty port", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n", "GET / - HTTP/1.1 a: keep none"),
        .init("the highest port", "GET / HTTP/1.1\r\nHost: a:65535\r\n\r\n", "GET / - HTTP/1.1 a:65535 keep none"),
        .init("IPv4", "GET / HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n", "GET / - HTTP/1.1 127.0.0.1:80 keep none"),
        .init("IPv6", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET / - HTTP/1.1 [::1]:80 keep none"),
        .init("IPv6 without port", "GET / HTTP/1.1\r\nHost: [fe80::A]\r\n\r\n", "GET / - HTTP/1.1 [fe80::A] keep none"),
        .init("an escaped name", "GET / HTTP/1.1\r\nHost: a%2Db\r\n\r\n", "GET / - HTTP/1.1 a%2Db keep none"),
        .init("HOST", "GET / HTTP/1.1\r\nHOST: h\r\n\r\n", "GET / - HTTP/1.1 h keep none"),
    ]

    private static let fields: [GoodRequest] = [
        .init("no blank behind the colon", "GET / HTTP/1.1\r\nHost:h\r\n\r\n", "GET / - HTTP/1.1 h keep none"),
        .init("blanks around a value", "GET / HTTP/1.1\r\nHost: \t h \t \r\n\r\n", "GET / - HTTP/1.1 h keep none"),
        .init("an empty value", "GET / HTTP/1.1\r\nHost: h\r\nA:\r\nB: \r\n\r\n", "GET / - HTTP/1.1 h keep none"),
        .init("colons in a value", "GET / HTTP/1.1\r\nHost: h\r\nA: b:c: d\r\n\r\n", "GET / - HTTP/1.1 h keep none"),
        .init("a tab in a value", "GET / HTTP/1.1\r\nHost: h\r\nA: b\tc\r\n\r\n", "GET / - HTTP/1.1 h keep none"),
        .init("UTF-8 in a value", "GET / HTTP/1.1\r\nHost: h\r\nA: ü€😀\r\n\r\n", "GET / - HTTP/1.1 h keep none"),
        .init(
            "odd tokens as name", "GET / HTTP/1.1\r\nHost: h\r\n!#$%&'*+-.^_`|~0aZ: b\r\n\r\n",
            "GET / - HTTP/1.1 h keep none"),
        .init("a field twice", "GET / HTTP/1.1\r\nA: 1\r\nHost: h\r\nA: 2\r\n\r\n", "GET / - HTTP/1.1 h keep none"),
        .init(
            "names like known ones", "GET / HTTP/1.1\r\nHost: h\r\nHosu: ,\r\nContent-lengti: x\r\n\r\n",
            "GET / - HTTP/1.1 h keep none"),
    ]

    private static let persistence: [GoodRequest] = [
        .init("close", "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "GET / - HTTP/1.1 h close none"),
        .init(
            "Close in a list", "GET / HTTP/1.1\r\nHost: h\r\nConnection: x ,Close\r\n\r\n",
            "GET / - HTTP/1.1 h close none"),
        .init(
            "close in a second field", "GET / HTTP/1.1\r\nHost: h\r\nConnection: x\r\nConnection: close\r\n\r\n",
            "GET / - HTTP/1.1 h close none"),
        .init("upgrade", "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n\r\n", "GET / - HTTP/1.1 h keep none"),
        .init(
            "closed is not close", "GET / HTTP/1.1\r\nHost: h\r\nConnection: closed\r\n\r\n",
            "GET / - HTTP/1.1 h keep none"),
        .init(
            "HTTP/1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET / - HTTP/1.0 - keep none"),
        .init(
            "close beats keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
            "GET / - HTTP/1.0 - close none"),
    ]

    private static let lengths: [GoodRequest] = [
        .init("length 0", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "POST / - HTTP/1.1 h keep 0"),
        .init(
            "length 5", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", "POST / - HTTP/1.1 h keep 5",
            body: "hello"),
        .init(
            "length with zeros", "POST / HTTP/1.1\r\nHost: h\r\ncontent-length:005 \r\n\r\nhello",
            "POST / - HTTP/1.1 h keep 5", body: "hello"),
        .init(
            "a body of line ends", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n\r\n\r\n",
            "POST / - HTTP/1.1 h keep 4", body: "\r\n\r\n"),
        .init(
            "a GET with a body", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi",
            "GET / - HTTP/1.1 h keep 2", body: "hi"),
        .init(
            "HTTP/1.0 with a length", "POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi", "POST / - HTTP/1.0 - close 2",
            body: "hi"),
        .init(
            "Expect: 100-continue", "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\nhi",
            "POST / - HTTP/1.1 h keep 2", body: "hi"),
        .init("an empty expectation", "GET / HTTP/1.1\r\nHost: h\r\nExpect:\r\n\r\n", "GET / - HTTP/1.1 h keep none"),
        .init(
            "empty elements among expectations",
            "GET / HTTP/1.1\r\nHost: h\r\nExpect: ,100-continue, ,\r\nExpect: 100-continue\r\n\r\n",
            "GET / - HTTP/1.1 h keep none"),
        .init(
            "empty elements in Connection", "GET / HTTP/1.1\r\nHost: h\r\nConnection: ,,close,\r\n\r\n",
            "GET / - HTTP/1.1 h close none"),
        .init(
            "HTTP/1.0 may expect anything", "GET / HTTP/1.0\r\nExpect: wonders\r\n\r\n", "GET / - HTTP/1.0 - close none"
        ),
    ]

    private static let chunkedHead = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    private static let chunkedSummary = "POST / - HTTP/1.1 h keep chunked"

    private static func chunked(_ rule: String, _ text: String, body: String) -> GoodRequest {
        GoodRequest(rule, chunkedHead + text, chunkedSummary, body: body)
    }

    private static let chunks: [GoodRequest] = [
        chunked("no chunk but the last", "0\r\n\r\n", body: ""),
        chunked("one chunk", "5\r\nhello\r\n0\r\n\r\n", body: "hello"),
        chunked("two chunks", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", body: "hello world"),
        chunked(
            "sizes in either case", "a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n", body: "01234567890123456789a"),
        chunked("15 digits", "000000000000002\r\nhi\r\n000000000000000\r\n\r\n", body: "hi"),
        chunked("an extension", "2;a=b\r\nhi\r\n0;last\r\n\r\n", body: "hi"),
        chunked("a quoted extension", "2;a=\"\u{e4} ;\t\"\r\nhi\r\n0\r\n\r\n", body: "hi"),
        chunked("line ends as data", "4\r\n\r\n\r\n\r\n0\r\n\r\n", body: "\r\n\r\n"),
        chunked("data that looks like an end", "5\r\n0\r\n\r\n\r\n0\r\n\r\n", body: "0\r\n\r\n"),
        chunked("a trailer", "2\r\nhi\r\n0\r\nA: b\r\n\r\n", body: "hi"),
        chunked("trailers that would be framing", "0\r\nHost: x\r\nContent-Length: 7\r\nE:\r\n\r\n", body: ""),
        .init(
            "Chunked in upper case",
            "PUT /x HTTP/1.1\r\nHost: h\r\ntransfer-ENCODING:\tCHUNKED \r\n\r\n1\r\nx\r\n0\r\n\r\n",
            "PUT /x - HTTP/1.1 h keep chunked", body: "x"),
    ]
}

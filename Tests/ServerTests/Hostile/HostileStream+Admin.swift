// Bytes to the admin API that must have no effect: other protocols, broken requests, bodies over the limit, names, numbers and
// JSON that are none. Every peer that reaches the port is trusted to push; none is trusted to be free of faults.

import JSON
import PerigeeTestKit

extension HostileStream {
    static let adminRequests =
        adminProtocols + adminHeads + adminBodies + adminAccess + adminNames + adminJSON + adminEnds

    private static let adminProtocols: [HostileStream] = [
        .admin("a TLS hello", [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3], .status(400)),
        .admin("the HTTP/2 preface", Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8), .status(505)),
        .admin("a WebSocket frame", ClientFrame.text("hello").bytes, .status(400)),
        .admin("zeros", Array(repeating: 0, count: 1000), .status(400)),
        .admin("high bytes", Array(repeating: 0xFF, count: 1000), .status(400)),
        .admin("JSON", Array("{\"channel\": \"news\", \"data\": 1}\n".utf8), .status(400)),
        .admin("a Redis command", Array("*1\r\n$4\r\nPING\r\n".utf8), .status(400)),
        asked("a handshake", "GET", "/", ["Upgrade: websocket", "Sec-WebSocket-Version: 13"], "", 404),
    ]

    private static let adminHeads: [HostileStream] = [
        asked("an endless path", "GET", "/" + String(repeating: "a", count: 100_000), [], "", 414),
        asked("an endless field", "GET", "/v1/node", ["A: " + String(repeating: "b", count: 100_000)], "", 431),
        asked("endless fields", "GET", "/v1/node", Array(repeating: "A: b", count: 2000), "", 431),
        asked("a folded field", "GET", "/v1/node", ["A: b", " c"], "", 400),
        asked("a NUL in a field", "GET", "/v1/node", ["A: \0"], "", 400),
        asked("a second Host", "GET", "/v1/node", ["Host: localhost"], "", 400),
        asked("an expectation nobody knows", "GET", "/v1/node", ["Expect: wonders"], "", 417),
        asked("a path that is not there", "GET", "/v1/../../etc/passwd", [], "", 404),
        asked("a method that a path does not take", "PUT", "/v1/messages", ["Content-Length: 0"], "", 405),
        asked("a method that is none", "BREW", "/v1/node", [], "", 405),
        .admin("no Host", Array("GET /v1/node HTTP/1.1\r\n\r\n".utf8), .status(400)),
        .admin("line feeds alone", Array("GET /v1/node HTTP/1.1\nHost: 127.0.0.1\n\n".utf8), .status(400)),
    ]

    private static let adminBodies: [HostileStream] = [
        pushed("a length over the limit", ["Content-Length: 1048577"], "", 413),
        pushed("a length beyond 64 bits", ["Content-Length: 18446744073709551616"], "", 400),
        pushed("a negative length", ["Content-Length: -1"], "", 400),
        pushed("two lengths", ["Content-Length: 1", "Content-Length: 2"], "ab", 400),
        pushed("a length and chunks", ["Content-Length: 1", "Transfer-Encoding: chunked"], "0\r\n\r\n", 400),
        pushed("a chunk over the limit", ["Transfer-Encoding: chunked"], "100001\r\n", 413),
        pushed("the largest chunk", ["Transfer-Encoding: chunked"], "fffffffffffffff\r\n", 413),
        pushed("a chunk of 64 bits and more", ["Transfer-Encoding: chunked"], "10000000000000000\r\n", 400),
        pushed("a chunk of a negative size", ["Transfer-Encoding: chunked"], "-1\r\n", 400),
        pushed("a chunk longer than it says", ["Transfer-Encoding: chunked"], "2\r\nabc\r\n0\r\n\r\n", 400),
        pushed("a chunk behind a line feed", ["Transfer-Encoding: chunked"], "1\na\r\n0\r\n\r\n", 400),
        pushed(
            "endless chunk extensions", ["Transfer-Encoding: chunked"],
            "1;" + String(repeating: "a", count: 10_000) + "\r\na\r\n0\r\n\r\n", 400),
        pushed(
            "endless trailers", ["Transfer-Encoding: chunked"],
            "0\r\n" + String(repeating: "A: b\r\n", count: 5000) + "\r\n", 431),
        pushed("another encoding", ["Transfer-Encoding: gzip, chunked"], "0\r\n\r\n", 400),
        .admin("a text that is not UTF-8", request("POST", path, ["Content-Length: 2"]) + [0xC3, 0x28], .status(400)),
        .admin("half a character", request("POST", path, ["Content-Length: 2"]) + [0xE2, 0x82], .status(400)),
    ]

    private static let adminAccess: [HostileStream] = [
        .admin(
            "a name that is not this machine's",
            Array("GET /v1/node HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n".utf8), .status(403)),
        .admin(
            "a name that begins like this machine's",
            Array("GET /v1/node HTTP/1.1\r\nHost: 127.0.0.1.example.org\r\nConnection: close\r\n\r\n".utf8),
            .status(403)),
        .admin("HTTP/1.0 without a name", Array("GET /v1/node HTTP/1.0\r\n\r\n".utf8), .status(403)),
        asked("a page's request", "POST", path, ["Origin: http://example.org", "Content-Length: 0"], "", 403),
        asked("a request of a page without an origin", "POST", path, ["Origin: null", "Content-Length: 0"], "", 403),
    ]

    private static let adminNames: [HostileStream] = [
        asked(
            "a channel with a control character", "POST", "/v1/channels/%00/messages", ["Content-Length: 0"], "", 400),
        asked("a channel with a broken escape", "POST", "/v1/channels/%zz/messages", ["Content-Length: 0"], "", 400),
        asked("a channel that is not UTF-8", "POST", "/v1/channels/%FF/messages", ["Content-Length: 0"], "", 400),
        asked(
            "a channel of 256 bytes", "POST", "/v1/channels/\(String(repeating: "c", count: 256))/messages",
            ["Content-Length: 0"], "", 400),
        asked("an exclusion that is no id", "POST", path + "?exclude=x", ["Content-Length: 0"], "", 400),
        asked("an id that is none", "POST", "/v1/connections/x/messages", ["Content-Length: 0"], "", 404),
        asked("an id of nobody", "GET", "/v1/connections/\(nobody)", [], "", 404),
        asked("an id beyond its bits", "GET", "/v1/connections/\(String(repeating: "z", count: 23))", [], "", 404),
        asked("an id of a worker that is not there", "DELETE", "/v1/connections/0000zzz0000000000000000", [], "", 404),
        asked("a limit of 0", "GET", "/v1/connections?limit=0", [], "", 400),
        asked("a limit that is no number", "GET", "/v1/channels?limit=1e3", [], "", 400),
        asked("a limit beyond 64 bits", "GET", "/v1/connections?limit=99999999999999999999", [], "", 400),
        asked("a cursor that is none", "GET", "/v1/connections?cursor=%00", [], "", 400),
        asked("a cursor beyond the workers", "GET", "/v1/connections?cursor=9-0", [], "", 400),
        asked("a cursor beyond 32 bits", "GET", "/v1/connections?cursor=0-zzzzzzzzzz", [], "", 400),
    ]

    private static let adminJSON: [HostileStream] = [
        json("nothing", ""), json("a list", "[]"), json("a number", "1"), json("half an object", "{\"channel\":"),
        json("an object and more", "{}{}"), json("a comma too many", "{\"channel\":\"a\",\"data\":1,}"),
        json("a member twice", "{\"channel\":\"a\",\"channel\":\"b\",\"data\":1}"),
        json("a member that nobody knows", "{\"channel\":\"a\",\"data\":1,\"ttl\":1}"),
        json("no data", "{\"channel\":\"a\"}"), json("no target", "{\"data\":1}"),
        json("two targets", "{\"channel\":\"a\",\"user\":\"b\",\"data\":1}"),
        json("a channel that is a number", "{\"channel\":1,\"data\":1}"),
        json("an empty channel", "{\"channel\":\"\",\"data\":1}"),
        json("a channel with a control character", "{\"channel\":\"\\u0007\",\"data\":1}"),
        json("no channels", "{\"channels\":[],\"data\":1}"),
        json("channels of two kinds", "{\"channels\":[\"a\",1],\"data\":1}"),
        json(
            "101 channels",
            "{\"channels\":[\((0..<101).map { "\"\($0)\"" }.joined(separator: ","))],\"data\":1}"),
        json("half a surrogate pair", "{\"channel\":\"a\",\"data\":\"\\ud800\"}"),
        json("a raw control byte", "{\"channel\":\"a\",\"data\":\"\u{1}\"}"),
        json("an unknown escape", "{\"channel\":\"a\",\"data\":\"\\x41\"}"),
        json("a number with a leading zero", "{\"channel\":\"a\",\"data\":01}"),
        json("not a number", "{\"channel\":\"a\",\"data\":NaN}"),
        json("Base64 that is none", "{\"channel\":\"a\",\"dataBase64\":\"a\"}"),
        json("data twice", "{\"channel\":\"a\",\"data\":1,\"dataBase64\":\"\"}"),
        json("an exclusion for a user", "{\"user\":\"a\",\"data\":1,\"exclude\":\"\(nobody)\"}"),
        json("values nested 65 deep", nested(65)), json("values nested 100,000 deep", nested(100_000)),
        json("endless brackets", "{\"data\":" + String(repeating: "[", count: 500_000)),
        .admin(
            "JSON that is not UTF-8",
            request("POST", "/v1/publish", ["Content-Length: 13"]) + Array("{\"channel\":\"".utf8) + [0xFF],
            .status(400)),
        asked(
            "a push to nobody", "POST", "/v1/publish", ["Content-Length: 50"],
            "{\"connection\":\"\(nobody)\",\"data\":\"\"}", 404),
    ]

    private static let adminEnds: [HostileStream] = [
        .admin("nothing, then the end", [], .silence, .halfCloses),
        .admin("half a head, then the end", Array("POST /v1/mess".utf8), .silence, .halfCloses),
        .admin(
            "half a body, then the end", request("POST", path, ["Content-Length: 9"]) + [0x61], .silence, .halfCloses),
        .admin("half a body, then a reset", request("POST", path, ["Content-Length: 9"]) + [0x61], .unknown, .resets),
        .admin(
            "a reload, then a reset", request("POST", "/v1/scripts/reload", ["Content-Length: 0"]), .unknown, .resets),
        .admin("a push, then a reset", request("POST", path, ["Content-Length: 1"]) + [0x61], .unknown, .resets),
        .admin(
            "100 requests at once, then a reset",
            Array(repeatElement(Array("GET /v1/node HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".utf8), count: 100).joined()),
            .unknown, .resets),
    ]

    private static let path = "/v1/channels/news/messages"
    /// A well-formed id that no connection has.
    private static let nobody = String(repeating: "0", count: 23)

    private static func nested(_ depth: Int) -> String {
        let (open, close) = (String(repeating: "[", count: depth - 1), String(repeating: "]", count: depth - 1))
        return "{\"channel\":\"a\",\"data\":[\(open)\(close)]}"
    }

    private static func request(_ method: String, _ path: String, _ fields: [String]) -> [UInt8] {
        let lines = ["\(method) \(path) HTTP/1.1", "Host: 127.0.0.1", "Connection: close"] + fields
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    private static func asked(
        _ rule: String, _ method: String, _ path: String, _ fields: [String], _ body: String, _ status: Int
    ) -> HostileStream {
        .admin(rule, request(method, path, fields) + Array(body.utf8), .status(status))
    }

    private static func pushed(_ rule: String, _ fields: [String], _ body: String, _ status: Int) -> HostileStream {
        asked("a push with " + rule, "POST", path, fields, body, status)
    }

    private static func json(_ rule: String, _ body: String) -> HostileStream {
        asked("JSON: " + rule, "POST", "/v1/publish", ["Content-Length: \(body.utf8.count)"], body, 400)
    }
}

// Looking up the parts of a head.

import HTTP1
import Testing

@Suite("Request head", .bounded)
struct RequestHeadTests {
    private let head = RequestHead(
        validated: Array(
            """
            GET /chat?channel=a HTTP/1.1\r
            Host: example.org\r
            Connection: keep-alive , Upgrade\r
            Accept: text/html\r
            accept: text/plain\r
            X-Text: grüße\r
            Connection: ,,TE\r
            Empty:\r
            \r

            """.utf8))!

    @Test("finds a field by its name in any case")
    func first() {
        #expect(head.first("host") == "example.org")
        #expect(head.first("HOST") == "example.org")
        #expect(head.first("Accept") == "text/html")
        #expect(head.first("x-text") == "grüße")
        #expect(head.first("empty") == "")
        #expect(head.first("hos") == nil)
        #expect(head.first("hosts") == nil)
        #expect(head.first("") == nil)
    }

    @Test("returns all values of a name in order, separate or joined")
    func all() {
        #expect(head.all("ACCEPT") == ["text/html", "text/plain"])
        #expect(head.joined("accept") == "text/html, text/plain")
        #expect(head.joined("host") == "example.org")
        #expect(head.all("cookie").isEmpty)
        #expect(head.joined("cookie") == nil)
    }

    @Test("finds a whole token in every list of a name, in any case")
    func tokens() {
        #expect(head.hasToken("upgrade", in: "connection"))
        #expect(head.hasToken("Keep-Alive", in: "Connection"))
        #expect(head.hasToken("te", in: "connection"))
        #expect(!head.hasToken("up", in: "connection"))
        #expect(!head.hasToken("keep-alive , upgrade", in: "connection"))
        #expect(!head.hasToken("upgrade", in: "accept"))
        #expect(!head.hasToken("upgrade", in: "cookie"))
    }

    @Test("lists all fields with names in lower case")
    func fields() {
        #expect(head.fields.map(\.name) == ["host", "connection", "accept", "accept", "x-text", "connection", "empty"])
        #expect(head.fields.map(\.value).first == Array("example.org".utf8))
        #expect(head.fields.count == 7)
    }

    @Test("knows the target and its parts as they were sent")
    func target() {
        #expect(head.target == "/chat?channel=a")
        #expect(head.path == "/chat")
        #expect(head.query == "channel=a")
    }

    @Test("prefers the host of an absolute target to the Host field")
    func absoluteTarget() {
        let head = RequestHead(validated: Array("GET http://a:1/b HTTP/1.1\r\nHost: c\r\n\r\n".utf8))
        #expect(head?.host == "a:1")
        #expect(head?.first("host") == "c")
        #expect(head?.target == "http://a:1/b")
        #expect(head?.path == "/b")
    }

    @Test("recognises the known methods, only in upper case")
    func methods() {
        func method(_ name: String) -> HTTPMethod? {
            RequestHead(validated: Array("\(name) / HTTP/1.1\r\nHost: h\r\n\r\n".utf8))?.method
        }
        let known: [(String, HTTPMethod)] = [
            ("GET", .get), ("HEAD", .head), ("POST", .post), ("PUT", .put), ("DELETE", .delete), ("OPTIONS", .options),
            ("PATCH", .patch), ("TRACE", .other), ("Get", .other), ("GETS", .other), ("PUSH", .other),
        ]
        for (name, expected) in known { #expect(method(name) == expected) }
    }

    @Test("expects a 100 only in HTTP/1.1 and only with a body")
    func expectation() {
        func expects(_ request: String) -> Bool? {
            RequestHead(validated: Array("\(request)\r\nHost: h\r\nExpect: 100-continue\r\n\r\n".utf8))?.expectsContinue
        }
        #expect(expects("POST / HTTP/1.1\r\nContent-Length: 5") == true)
        #expect(expects("POST / HTTP/1.1\r\nTransfer-Encoding: chunked") == true)
        #expect(expects("POST / HTTP/1.0\r\nContent-Length: 5") == false)
        #expect(expects("POST / HTTP/1.1") == false)
    }

    @Test("reads a value that is not UTF-8 as ISO-8859-1 and keeps its bytes")
    func foreign() {
        func head(_ value: [UInt8]) -> RequestHead? {
            RequestHead(validated: Array("GET / HTTP/1.1\r\nHost: h\r\nA: ".utf8) + value + Array("\r\n\r\n".utf8))
        }
        for value in [[0xFF, 0x79], [0x80, 0x79], [0xE9], [0xC3, 0xA9]] as [[UInt8]] {
            #expect(head(value)?.fields.last?.value == value)
        }
        #expect(head([0xE9])?.first("a") == "\u{E9}" && head([0xC3, 0xA9])?.first("a") == "\u{E9}")
    }

    @Test("keeps exactly the bytes of the head, however it is cut")
    func exactBytes() throws {
        let bytes = Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8)
        for pieces in Cuts.everywhere(bytes + bytes) {
            let seen = Observation(pieces)
            #expect(seen.requests.map(\.head.bytes) == [bytes, bytes])
        }
    }
}

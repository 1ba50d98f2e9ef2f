// HTTPResponse: the ends of bodies, and violations of HTTP.

import Glibc
import PerigeeTestKit
import Testing

@Suite("HTTPClient", .bounded)
struct HTTPClientTests {
    func response(_ text: String, method: String = "GET") throws -> HTTPResponse {
        let listener = Listener()
        let socket = try RawSocket.connect(port: listener.port, timeout: .milliseconds(200))
        let peer = listener.accept()
        peer.send(text)
        shutdown(peer.descriptor, Int32(SHUT_WR))
        return try HTTPResponse.read(from: socket, method: method)
    }

    @Test("reads bodies by length, by chunks, to the end, and empty ones")
    func bodies() throws {
        #expect(try response("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc").text == "ab")
        let chunked =
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;x=y\r\nab\r\nA\r\n0123456789\r\n0\r\nT: v\r\n\r\n"
        #expect(try response(chunked).text == "ab0123456789")
        #expect(try response("HTTP/1.1 200 \r\nX:  y \t\r\n\r\nabc").text == "abc")
        #expect(try response("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", method: "HEAD").body == [])
        #expect(try response("HTTP/1.1 204 No Content\r\n\r\n").header("x") == nil)
        #expect(try response("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX:  y \t\r\n\r\n").header("x") == "y")
    }

    @Test(
        "refuses responses that break HTTP",
        arguments: [
            "HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab",
        ])
    func violations(text: String) {
        #expect(throws: ClientError.self) { try response(text) }
    }
}

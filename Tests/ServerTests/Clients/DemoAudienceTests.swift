// The clients that get the demo page, which shows the address of the admin API and the version.

import EventLoop
import HTTP1
import PerigeeTestKit
import Proxies
import Settings
import Testing

@testable import Gateway
@testable import Server

@Suite("Audience of the demo page", .bounded)
struct DemoAudienceTests {
    private static func status(
        _ audience: Configuration.Demo, from peer: String = "127.0.0.1",
        host: String = "127.0.0.1:8080",
        fields: String = "", version: String = "1.1"
    ) -> Int {
        let hostLine = host.isEmpty ? "" : "Host: \(host)\r\n"
        let head = RequestHead(
            validated: Array("GET / HTTP/\(version)\r\n\(hostLine)\(fields)\r\n".utf8))!
        let peer = peer == "unix" ? .unix : SocketAddress(host: peer, port: 4711)!
        let page = PlainPages(adminURL: "http://127.0.0.1:9080", adminSocket: nil, for: audience)
        return page.response(to: head, from: peer).status
    }

    @Test("loopback is for a client of this machine that asks for this machine")
    func local() {
        for peer in ["127.0.0.1", "127.0.0.9", "::1", "::ffff:127.0.0.1"] {
            #expect(Self.status(.loopback, from: peer) == 200, "\(peer)")
        }
        for host in ["localhost", "LocalHost:8080", "127.0.0.1", "[::1]:8080"] {
            #expect(Self.status(.loopback, host: host) == 200, "\(host)")
        }
        for peer in ["192.0.2.7", "10.0.0.1", "172.17.0.1", "2001:db8::1", "unix"] {
            #expect(Self.status(.loopback, from: peer) == 426, "\(peer)")
        }
        for host in ["example.com", "10.0.0.1:8080", "localhost.example.com", "127.0.0.1.example.com"] {
            #expect(Self.status(.loopback, host: host) == 426, "\(host)")
        }
        #expect(Self.status(.loopback, host: "", version: "1.0") == 426)
        // The default of nginx with proxy_pass http://127.0.0.1:8080.
        #expect(Self.status(.loopback, fields: "Connection: close\r\n", version: "1.0") == 426)
        #expect(Self.status(.everybody, version: "1.0") == 200)
    }

    @Test(
        "loopback excludes clients behind a proxy on this machine",
        arguments: [
            "X-Forwarded-For: 192.0.2.7", "x-forwarded-for: 127.0.0.1", "Forwarded: for=192.0.2.7",
            "Via: 1.1 proxy",
            "X-Real-IP: 192.0.2.7", "X-Forwarded-Proto: https", "X-Forwarded-Host: example.com",
        ])
    func proxied(field: String) {
        #expect(Self.status(.loopback, fields: "\(field)\r\n") == 426)
        #expect(Self.status(.everybody, fields: "\(field)\r\n") == 200)
    }

    @Test("true shows the page to all clients and false to none")
    func others() {
        #expect(Self.status(.everybody, from: "192.0.2.7", host: "example.com") == 200)
        #expect(Self.status(.nobody) == 426)
    }

    @Test(
        "a remote client gets nothing of the page from a port open to all",
        .plainOnly("PROXY before TLS"))
    func elsewhere() throws {
        try withServer(configure: {
            $0.listen = .anywhere(port: 0)
            $0.proxies.protocol = true
            $0.proxies.trusted = [IPNetwork("127.0.0.1")!]
        }) { server in
            for (client, status) in [("192.0.2.7", 426), ("127.0.0.1", 200)] {
                let socket = try server.dial()
                try socket.send(
                    "PROXY TCP4 \(client) 192.0.2.1 4711 80\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                let answer = try HTTPResponse.read(from: socket, method: "GET")
                #expect(answer.status == status, "\(client)")
                let tells =
                    answer.text.contains("\(server.adminPort)") || answer.text.contains(PerigeeVersion.text)
                #expect(tells == (status == 200))
            }
        }
    }
}

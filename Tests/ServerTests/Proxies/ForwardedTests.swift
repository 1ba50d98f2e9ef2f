// The proxies' fields of a request: believed from trusted proxies only.

import JSON
import PerigeeTestKit
import Proxies
import Server
import Settings
import Testing

@Suite("Forwarded clients", .bounded)
struct ForwardedTests {
    private static let script = """
        function onUpgrade(request) return { ip = request.ip } end
        function onOpen(conn) conn:send(conn.data.ip .. " " .. conn.ip) end
        """

    private func ip(
        _ headers: [(String, String)], trusted: [String] = ["127.0.0.1", "10.0.0.0/8"],
        header: Configuration.Proxies.Header = .xForwardedFor
    ) throws -> String {
        var shown = ""
        try withServer(
            scripts: ["main.lua": Self.script],
            configure: {
                $0.proxies.trusted = trusted.map { IPNetwork($0)! }
                $0.proxies.header = header
            }
        ) { server in
            let client = try server.connect(headers: headers)
            shown = try client.receiveText()
            let listed = try HTTPClient.once("GET", "/v1/connections", port: server.adminPort).json()
            let address = listed["items"]?[0]?["remoteAddress"]?.string ?? ""
            #expect(address.contains(String(shown.split(separator: " ")[0])))
            withExtendedLifetime(client) {}
        }
        return shown
    }

    @Test("a trusted proxy names the client to onUpgrade and all others")
    func believed() throws {
        #expect(try ip([("X-Forwarded-For", "192.0.2.7")]) == "192.0.2.7 192.0.2.7")
    }

    /// In one field or in two.
    @Test("the client's own entries before the proxy's are not believed")
    func spoofedBefore() throws {
        #expect(try ip([("X-Forwarded-For", "6.6.6.6, 192.0.2.7, 10.1.1.1")]) == "192.0.2.7 192.0.2.7")
        let fields = [
            ("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-For", "192.0.2.7"), ("X-Forwarded-For", "10.1.1.1"),
        ]
        #expect(try ip(fields) == "192.0.2.7 192.0.2.7")
    }

    @Test("a client that is no trusted proxy is not believed")
    func spoofed() throws {
        let headers = [("X-Forwarded-For", "6.6.6.6"), ("Forwarded", "for=6.6.6.6")]
        #expect(try ip(headers, trusted: []) == "127.0.0.1 127.0.0.1")
        #expect(try ip(headers, trusted: ["10.0.0.0/8"]) == "127.0.0.1 127.0.0.1")
    }

    @Test("only the field that is configured counts")
    func field() throws {
        let headers = [("X-Forwarded-For", "192.0.2.7"), ("Forwarded", "for=\"[2001:db8::7]:4711\";proto=https")]
        #expect(try ip(headers) == "192.0.2.7 192.0.2.7")
        #expect(try ip(headers, header: .forwarded) == "2001:db8::7 2001:db8::7")
        #expect(try ip(headers, header: .none) == "127.0.0.1 127.0.0.1")
    }

    @Test("a field that names nobody leaves the proxy as the client")
    func malformed() throws {
        #expect(try ip([("X-Forwarded-For", "192.0.2.7, unknown")]) == "127.0.0.1 127.0.0.1")
    }

    @Test("behind a UNIX socket the field is believed", .plainOnly("it speaks plain HTTP through a file"))
    func unix() throws {
        let files = try SocketFile()
        try withServer(scripts: ["main.lua": Self.script], configure: files.use) { _ in
            let socket = try RawSocket.connect(path: files.clients, timeout: .seconds(10))
            let headers = [("X-Forwarded-For", "6.6.6.6, 192.0.2.7")]
            try socket.send(WebSocketClient.request(host: "localhost", headers: headers))
            #expect(try WebSocketClient.adopt(socket).receiveText() == "192.0.2.7 192.0.2.7")
        }
    }
}

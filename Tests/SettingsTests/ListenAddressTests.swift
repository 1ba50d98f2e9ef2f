// Addresses to listen on.

import Settings
import Testing

@Suite("Addresses to listen on", .bounded)
struct ListenAddressTests {
    @Test(
        "HOST:PORT with a numeric host is an address, in canonical form",
        arguments: [
            ("127.0.0.1:8080", "127.0.0.1", 8080, "127.0.0.1:8080"), ("0.0.0.0:0", "0.0.0.0", 0, "0.0.0.0:0"),
            ("[::1]:9080", "::1", 9080, "[::1]:9080"), ("[::]:65535", "::", 65535, "[::]:65535"),
            ("[0:0:0:0:0:0:0:1]:1", "::1", 1, "[::1]:1"), ("[2001:DB8::1]:80", "2001:db8::1", 80, "[2001:db8::1]:80"),
            ("localhost:80", "127.0.0.1", 80, "127.0.0.1:80"),
        ] as [(String, String, UInt16, String)])
    func good(text: String, host: String, port: UInt16, description: String) throws {
        let address = try #require(ListenAddress(text))
        #expect(address.host == host && address.port == port && address.description == description)
        #expect(ListenAddress(address.description) == address)
    }

    @Test(
        "anything else is none",
        arguments: [
            "", ":", ":8080", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1",
            "127.0.0.1:80 ",
            "127.0.0.1:000080", "127.1:80", "256.0.0.1:80", "127.0.0.01:80", "example.org:80", "::1:80", "[::1]",
            "[::1]80",
            "[127.0.0.1]:80", "[::1%lo]:80", "[localhost]:80", "*:80", "127.0.0.1\0:80", "[]:80", "[:80", "]:80",
            "127.0.0.1:８０",
        ])
    func bad(text: String) {
        #expect(ListenAddress(text) == nil)
    }

    @Test(
        "unix: and a path is the file of a UNIX socket",
        arguments: [
            "/run/perigee/clients.sock", "relative.sock", "/with space, and: colon",
            "/\(String(repeating: "x", count: 106))",
        ])
    func unix(path: String) throws {
        let address = try #require(ListenAddress("unix:" + path))
        #expect(address.unixPath == path && address.host == "" && address.port == 0)
        #expect(address.description == "unix:" + path && ListenAddress(address.description) == address)
        #expect(address.isLoopback && !address.isWildcard && !address.isIPv6)
    }

    @Test(
        "refuses a path that is empty, too long or has control characters",
        arguments: [
            "unix:", "unix:/a\0b", "unix:/a\nb", "unix:/\u{7F}", "unix:/\(String(repeating: "x", count: 107))",
            "Unix:/a",
        ])
    func badUnix(text: String) {
        #expect(ListenAddress(text) == nil)
    }

    @Test("loopback is 127.0.0.0/8, ::1, and the first inside IPv6")
    func loopback() {
        let isLoopback = { (host: String) in ListenAddress(host: host, port: 1)?.isLoopback }
        for host in ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "localhost"] {
            #expect(isLoopback(host) == true)
        }
        for host in ["0.0.0.0", "128.0.0.1", "10.0.0.1", "::", "::2", "::ffff:10.0.0.1", "fe80::1"] {
            #expect(isLoopback(host) == false)
        }
    }
}

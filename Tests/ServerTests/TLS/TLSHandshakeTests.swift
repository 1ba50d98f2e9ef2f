// The results of a TLS handshake: the certificate, the protocol, the version, and a resumed session.

import JSON
import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("TLS: handshake", .bounded)
struct TLSHandshakeTests {
    @Test("a client gets the certificate of the requested name or the first one")
    func serverNames() throws {
        let authority = TestAuthority.shared
        let certificates = [
            try authority.issue("first", names: ["first.test"]), try authority.issue("second", names: ["second.test"]),
            try authority.issue("wild", names: ["*.wild.test"]),
        ]
        try withSecureServer(certificates) { server in
            for (name, subject) in [
                ("first.test", "CN=first.test"), ("second.test", "CN=second.test"), ("SECOND.test", "CN=second.test"),
                ("a.wild.test", "CN=*.wild.test"),
            ] {
                let client = try server.connect { $0.serverName = name }
                #expect(client.socket.tls?.serverSubject == subject)
                try client.send("hello")
                #expect(try client.receiveText() == "hello")
            }
            let unknown = try server.connect { ($0.serverName, $0.authority) = ("unknown.test", nil) }
            #expect(unknown.socket.tls?.serverSubject == "CN=first.test")
            #expect(try server.connect { _ in }.socket.tls?.serverSubject == "CN=first.test")
            #expect(server.refusal { $0.serverName = "a.b.wild.test" }?.contains("certificate verify failed") == true)
        }
    }

    @Test("ALPN selects http/1.1 or fails the handshake as RFC 7301 says")
    func applicationProtocol() throws {
        try withSecureServer { server in
            let client = try server.connect { $0.protocols = ["h2", "http/1.1"] }
            #expect(client.socket.tls?.chosenProtocol == "http/1.1")
            #expect(try server.connect { _ in }.socket.tls?.chosenProtocol == nil)
            let refusal = server.refusal { $0.protocols = ["h2"] }
            #expect(refusal?.contains("no application protocol") == true, "\(refusal ?? "accepted")")
            #expect(try server.nodeState()["tlsHandshakesFailed"] == 1)
        }
    }

    /// The others go on.
    @Test("a client that asks for renegotiation is cut, counted and logged")
    func renegotiation() throws {
        try withSecureServer { server in
            let other = try server.connect { $0.version = .tls12 }
            let client = try server.connect { $0.version = .tls12 }
            try client.send("hello")
            #expect(try client.receiveText() == "hello")
            try client.socket.askToRenegotiate()
            try server.eventually("the client is gone") { try server.nodeState()["connections"] == 1 }
            #expect(try server.nodeState()["tlsRenegotiations"] == 1)
            #expect(server.log.lines.contains { $0.contains("TLS renegotiation refused") })
            try other.send("still here")
            #expect(try other.receiveText() == "still here")
        }
    }

    /// TLS 1.1 is refused; minVersion 1.3 refuses 1.2, too.
    @Test("speaks TLS 1.2 and 1.3 or from minVersion on")
    func versions() throws {
        try withSecureServer { server in
            let older = try server.connect { $0.version = .tls12 }
            #expect(older.socket.tls?.version == "TLSv1.2")
            #expect(try server.connect { $0.version = .tls13 }.socket.tls?.version == "TLSv1.3")
            #expect(server.refusal { $0.version = .tls11 }?.contains("protocol version") == true)
        }
        try withSecureServer(configure: { $0.tls.minVersion = .tls13 }) { server in
            let newer = try server.connect { $0.version = .tls13 }
            #expect(newer.socket.tls?.version == "TLSv1.3")
            #expect(server.refusal { $0.version = .tls12 }?.contains("protocol version") == true)
        }
    }

    @Test(
        "a ticket resumes its session on any worker and is counted",
        arguments: [
            TLSOptions.Version.tls12, .tls13,
        ])
    func resumption(_ version: TLSOptions.Version) throws {
        try withSecureServer { server in
            let first = try server.connect { $0.version = version }
            try first.send("one")
            #expect(try first.receiveText() == "one")
            #expect(first.socket.tls?.isResumed == false)
            let ticket = try #require(first.socket.tls?.ticket)
            for _ in 0..<8 {
                let next = try server.connect { ($0.version, $0.session) = (version, ticket) }
                #expect(next.socket.tls?.isResumed == true)
                try next.send("two")
                #expect(try next.receiveText() == "two")
            }
            let state = try server.nodeState()
            #expect(state["tlsHandshakes"] == 9 && state["tlsResumptions"] == 8)
        }
    }

    /// A healthy client goes on.
    @Test(
        "plain HTTP on a TLS port is cut without an answer in plain text")
    func plainText() throws {
        try withSecureServer { server in
            let healthy = try server.connect()
            for port in [server.clientPort, server.adminPort] {
                let socket = try RawSocket.connect(port: port, security: .plain)
                try socket.send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(try socket.awaitEnd().first.map { $0 == 21 } ?? true)
            }
            try healthy.send("still there?")
            #expect(try healthy.receiveText() == "still there?")
        }
    }

    @Test("a handshake that is late at any of its steps is cut and counted")
    func lateHandshakes() throws {
        try withSecureServer(configure: { $0.timeouts.handshake = .milliseconds(100) }) { server in
            let silent = try (0..<20).map { _ in try RawSocket.connect(port: server.clientPort, security: .plain) }
            let half = try (0..<20).map { _ in try RawSocket.connect(port: server.clientPort, security: .plain) }
            // The head of a record that never comes.
            for socket in half { try socket.send([22, 3, 1, 1, 0, 1]) }
            for socket in silent + half { #expect(try socket.awaitEnd() == []) }
            #expect(try server.closes(for: "handshake_timeout") == 40)
        }
    }

    @Test("a refused connection gets an alert and no plain text")
    func turnedAway() throws {
        try withSecureServer(configure: { $0.limits.connections = 1 }) { server in
            let client = try server.connect()
            #expect(server.refusal { _ in }?.contains("internal error") == true)
            try client.send("still here")
            #expect(try client.receiveText() == "still here")
        }
    }

    @Test("the server sends close_notify when it closes")
    func goodbye() throws {
        try withSecureServer { server in
            let client = try server.connect()
            try client.close()
            #expect(try client.expectClose().code == 1000)
            #expect(client.socket.hasEndedPolitely)
        }
    }

    @Test("a message larger than any buffer arrives whole, both ways")
    func largeMessage() throws {
        try withSecureServer { server in
            let client = try server.connect()
            let text = String(repeating: "0123456789abcdef", count: 60_000)
            try client.send(text)
            #expect(try client.receiveText() == text)
        }
    }
}

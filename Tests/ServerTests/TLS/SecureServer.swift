// A server with certificates of a test's own.

import PerigeeTestKit
import Server
import Settings

/// Starts a server that speaks TLS on both ports with these certificates, the first being the default.
func withSecureServer(
    scripts: [String: String] = ["main.lua": SecureServer.echo],
    _ certificates: [TestCertificate] = [TestAuthority.certificate],
    configure: (inout Configuration) -> Void = { _ in }, _ body: (TestServer) throws -> Void
) throws {
    try withServer(scripts: scripts) { configuration in
        configuration.tls.certificates = certificates.map(\.paths)
        configuration.admin.tls = true
        configure(&configuration)
    } _: { server in
        try body(server)
    }
}

enum SecureServer {
    static let echo = "function onMessage(conn, message) conn:send(message) end"
}

extension TestServer {
    /// A client that trusts the shared authority, with other options of its own.
    func connect(_ change: (inout TLSOptions) -> Void) throws(ClientError) -> WebSocketClient {
        var options = TLSOptions(authority: TestAuthority.shared.path)
        change(&options)
        return try WebSocketClient.connect(port: clientPort, timeout: .seconds(10), security: .tls(options))
    }

    /// The error with which a client fails that speaks TLS in this way: in the handshake, or as soon as it listens.
    func refusal(_ change: (inout TLSOptions) -> Void) -> String? {
        do throws(ClientError) {
            _ = try connect(change)
            return nil
        } catch {
            return "\(error)"
        }
    }
}

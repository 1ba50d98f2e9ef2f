// The commands' requests to the admin API of a running server, with `perigee reload` for all of them: TLS, a UNIX socket, and
// servers that do not answer.

import EventLoop
import Glibc
import PerigeeTestKit
import Settings
import Testing

@testable import Server

@Suite("Command line: requests to the admin API", .bounded)
struct AdminClientTests {
    private typealias Result = (status: Int32, output: String, errors: String)

    /// Runs `perigee reload` against a place, without authorities of the run of tests.
    private func reload(
        _ place: String, _ arguments: [String] = [], _ environment: [String: String] = [:]
    ) throws -> Result {
        try PerigeeProgram.run(
            ["reload", "--admin", place] + arguments, environment: ["CURL_CA_BUNDLE": ""].merging(environment) { $1 })
    }

    /// The variables of a server with TLS, as its own command has them.
    private var secure: [String: String] {
        let files = TestAuthority.certificate
        return ["PERIGEE_TLS_CERTIFICATES": "\(files.certificate)=\(files.key)", "PERIGEE_ADMIN_TLS": "true"]
    }

    // MARK: TLS

    @Test("a flag or a variable names the authorities that the command trusts")
    func trusted() throws {
        try withSecureServer { server in
            let place = "127.0.0.1:\(server.adminPort)"
            let authority = TestAuthority.shared.path
            let rows: [(arguments: [String], environment: [String: String])] = [
                (["--ca-file", authority], [:]), (["--tls", "--ca-file", authority], [:]),
                (["--tls"], ["CURL_CA_BUNDLE": authority]),
                ([], secure.merging(["CURL_CA_BUNDLE": authority]) { $1 }),
                (["--ca-file", authority], secure.merging(["CURL_CA_BUNDLE": "/nowhere"]) { $1 }),
                (["--ca-file", authority, "--server-name", "localhost"], [:]),
                (["--ca-file", authority, "--server-name", "push.example.test"], [:]),
            ]
            for (index, row) in rows.enumerated() {
                let result = try reload(place, row.arguments, row.environment)
                #expect(result == (0, "version \(index + 2) is live; no file has changed\n", ""))
            }
        }
    }

    /// The exit code is 2.
    @Test("refuses an untrusted or misnamed certificate before it sends a request")
    func untrusted() throws {
        let stranger = try TestAuthority("Stranger")
        try withSecureServer { server in
            let place = "127.0.0.1:\(server.adminPort)"
            for arguments in [
                ["--tls"], ["--ca-file", stranger.path],
                ["--ca-file", TestAuthority.shared.path, "--server-name", "other.test"],
            ] {
                let result = try reload(place, arguments)
                #expect(result.status == 2 && result.output == "", "\(arguments): \(result)")
                #expect(result.errors.contains("the certificate of the admin API at \(place)"), "\(result.errors)")
                #expect(result.errors.split(separator: "\n").allSatisfy { $0.hasPrefix("perigee: ") })
            }
            let missing = try reload(place, ["--ca-file", "/nowhere/authority.pem"])
            #expect(missing.status == 2 && missing.errors.contains("the authorities in /nowhere/authority.pem"))
            let reloaded = try reload(place, ["--ca-file", TestAuthority.shared.path])
            #expect(reloaded.output.hasPrefix("version 2 is live"))
        }
    }

    @Test("a missing or misplaced TLS setting is reported with exit 1")
    func mismatch() throws {
        try withSecureServer { server in
            let result = try reload("127.0.0.1:\(server.adminPort)")
            #expect(result.status == 1 && result.errors.contains("gives no answer: "), "\(result)")
            #expect(result.errors.contains("give --tls or --ca-file"))
        }
        try withServer(scripts: ["main.lua": SecureServer.echo], configure: { $0.admin.tls = false }) { server in
            let result = try reload("127.0.0.1:\(server.adminPort)", ["--tls"])
            #expect(result.status == 1 && result.errors.contains("does it speak TLS (admin.tls)?"), "\(result)")
        }
    }

    // MARK: UNIX sockets

    @Test("a UNIX socket is reached by its path, with and without TLS", arguments: [false, true])
    func unixSocket(isSecure: Bool) throws {
        let files = try SocketFile()
        try withServer(scripts: ["main.lua": SecureServer.echo]) { configuration in
            files.use(in: &configuration)
            configuration.tls.certificates = isSecure ? [TestAuthority.certificate.paths] : []
            configuration.admin.tls = isSecure
        } _: { _ in
            let flags = isSecure ? ["--ca-file", TestAuthority.shared.path] : []
            let result = try reload("unix:" + files.admin, flags)
            #expect(result == (0, "version 2 is live; no file has changed\n", ""))
        }
        let nobody = try reload("unix:" + files.admin)
        #expect(nobody.status == 1 && nobody.errors.contains("no server answers at unix:\(files.admin)"))
    }

    // MARK: Servers that do not answer

    @Test("a port without a server is exit 1 and a port that is not known is exit 2")
    func refused() throws {
        for flags in [[], ["--ca-file", TestAuthority.shared.path]] {
            let result = try reload("127.0.0.1:1", flags)
            #expect(result.status == 1)
            #expect(
                result.errors
                    == "perigee: no server answers at 127.0.0.1:1 (admin.listen): Connection refused\n")
        }
        let unknown = try reload("127.0.0.1:0")
        #expect(unknown.status == 2 && unknown.errors.contains("the port that the server has announced"))
    }

    @Test("a server that stops anywhere in its answer is given up in time")
    func hanging() throws {
        let listener = try OwnListener()
        let place = "127.0.0.1:\(listener.port)"
        // The kernel connects; nobody reads, and nobody shakes hands.
        for flags in [[], ["--ca-file", TestAuthority.shared.path]] {
            let result = try reload(place, flags + ["--timeout", "0.2"])
            #expect(result.status == 1 && result.output == "")
            #expect(
                result.errors
                    == "perigee: the admin API at \(place) (admin.listen) did not answer within 0.2 seconds\n")
        }
        for flag in ["0", "-1", "3601", "soon"] { #expect(try reload(place, ["--timeout=\(flag)"]).status == 64) }
    }

    /// A server of one connection: reads a request, answers with these bytes, and hands the request over when the client is gone.
    private func serve(_ answer: String, on listener: OwnListener) -> BackgroundThread<String> {
        let descriptor = listener.descriptor
        return BackgroundThread {
            var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            try #require(poll(&ready, 1, 30_000) == 1)
            let client = accept(descriptor, nil, nil)
            defer { close(client) }
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = recv(client, &bytes, bytes.count, 0)
            let request = bytes.prefix(max(0, count))
            _ = send(client, answer, answer.utf8.count, Int32(MSG_NOSIGNAL))
            while recv(client, &bytes, bytes.count, 0) > 0 {}
            return String(decoding: request, as: UTF8.self)
        }
    }

    @Test(
        "half an answer, too long an answer and other protocols are errors",
        arguments: [
            ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", "0.3", "did not answer within"),
            ("HTTP/1.1 200", "0.3", "did not answer within"), ("SSH-2.0-OpenSSH_9.2\r\n", "20", "gives no answer: "),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n" + String(repeating: "x", count: 1_048_577), "20",
                "answers with more than 1048576 bytes"
            ),
        ])
    func broken(answer: String, timeout: String, expected: String) throws {
        let listener = try OwnListener()
        let server = serve(answer, on: listener)
        let result = try reload("127.0.0.1:\(listener.port)", ["--timeout", timeout])
        #expect(result.status == 1 && result.output == "" && result.errors.contains(expected), "\(result)")
        _ = try server.value()
    }

    @Test("the key goes to the server alone: neither a redirect nor a proxy gets it")
    func direct() throws {
        let elsewhere = LiveBackend()
        let listener = try OwnListener()
        let target = elsewhere.url("/stolen")
        let server = serve(
            "HTTP/1.1 307 Temporary Redirect\r\nLocation: \(target)\r\nContent-Length: 0\r\n\r\n", on: listener)
        let result = try reload(
            "127.0.0.1:\(listener.port)", [],
            ["PERIGEE_ADMIN_KEYS": "ops:manage=manage-me-0123456789", "http_proxy": elsewhere.url("")])
        #expect(result.status == 1)
        let request = try server.value()
        #expect(request.hasPrefix("POST /v1/scripts/reload HTTP/1.1\r\nHost: localhost\r\n"))
        #expect(request.contains("\r\nX-API-Key: manage-me-0123456789\r\n"))
        #expect(elsewhere.now.lines.isEmpty)
    }
}

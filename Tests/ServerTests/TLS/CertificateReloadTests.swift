// Certificates that change while the server runs: new connections get the new ones, old connections go on, and a mistake changes
// nothing.

import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("TLS: renewal", .bounded)
struct CertificateReloadTests {
    /// A folder as an operator has it, with a certificate of this name in it.
    private struct Place {
        let folder = try! TemporaryFolder()
        var certificate: TestCertificate {
            TestCertificate(certificate: "\(folder.path)/live/cert.pem", key: "\(folder.path)/live/key.pem")
        }

        init(_ name: String) throws { try install(name) }

        func install(_ name: String) throws {
            let pair = try TestAuthority.shared.issue(name, names: [name])
            try folder.write(try Self.read(pair.key), to: "live/key.pem")
            try folder.write(try Self.read(pair.certificate), to: "live/cert.pem")
        }

        private static func read(_ path: String) throws -> String { try ChildProcess.shell("cat '\(path)'").output }
    }

    private func subject(_ server: TestServer) throws -> String? {
        try server.connect { _ in }.socket.tls?.serverSubject
    }

    /// Old connections go on, and their sessions can be resumed.
    @Test("SIGHUP's reload uses new certificates for new connections")
    func signal() throws {
        let place = try Place("old.test")
        try withSecureServer([place.certificate], configure: { $0.tls.watch = false }) { server in
            let old = try server.connect { _ in }
            try old.send("a")
            #expect(try old.receiveText() == "a")
            try place.install("new.test")
            #expect(try subject(server) == "CN=old.test")
            server.server.reload()
            try server.log.wait(for: "notice certificates reloaded cause=signal names=new.test")
            #expect(try subject(server) == "CN=new.test")
            try old.send("b")
            #expect(try old.receiveText() == "b")
            let ticket = try #require(old.socket.tls?.ticket)
            #expect(try server.connect { $0.session = ticket }.socket.tls?.isResumed == true)
            #expect(try server.ask("GET", "/healthz").status == 200)
        }
    }

    @Test("a renewed file that is renamed over the old is noticed")
    func renamed() throws {
        let place = try Place("old.test")
        try withSecureServer([place.certificate], configure: { $0.scripts.debounce = .milliseconds(30) }) { server in
            try place.install("new.test")
            try server.log.wait(for: "certificates reloaded cause=file change names=new.test", timeout: .seconds(20))
            #expect(try subject(server) == "CN=new.test")
            try place.install("newer.test")
            try server.log.wait(for: "certificates reloaded cause=file change names=newer.test", timeout: .seconds(20))
        }
    }

    /// A link of a folder, as Kubernetes switches it, and a link of a file, as certbot does.
    @Test("a switched link to a certificate is noticed")
    func links() throws {
        let place = try Place("old.test")
        let root = place.folder.path
        try #require(
            try ChildProcess.shell(
                """
                cd '\(root)' && mv live ..1 && ln -s ..1 ..data && mkdir live && \
                ln -s ../..data/cert.pem live/cert.pem && ln -s ../..data/key.pem live/key.pem
                """
            ).status == 0)
        try withSecureServer([place.certificate], configure: { $0.scripts.debounce = .milliseconds(30) }) { server in
            let pair = try TestAuthority.shared.issue("new.test", names: ["new.test"])
            try #require(
                try ChildProcess.shell(
                    """
                    cd '\(root)' && mkdir ..2 && cp '\(pair.certificate)' ..2/cert.pem && cp '\(pair.key)' ..2/key.pem && \
                    ln -s ..2 ..tmp && mv -T ..tmp ..data && rm -r ..1
                    """
                ).status == 0)
            try server.log.wait(for: "certificates reloaded cause=file change names=new.test", timeout: .seconds(20))
            let next = try TestAuthority.shared.issue("next.test", names: ["next.test"])
            try #require(
                try ChildProcess.shell(
                    "cd '\(root)/live' && ln -sf '\(next.key)' key.pem && ln -sf '\(next.certificate)' cert.pem"
                ).status == 0)
            try server.log.wait(for: "certificates reloaded cause=file change names=next.test", timeout: .seconds(20))
            #expect(try subject(server) == "CN=next.test")
        }
    }

    /// It is one line of the log that names the file.
    @Test("a certificate error keeps the old certificates and reloads the scripts")
    func mistake() throws {
        let place = try Place("old.test")
        try withSecureServer([place.certificate], configure: { $0.tls.watch = false }) { server in
            try place.folder.write("nothing", to: "live/cert.pem")
            let script = SecureServer.echo.replacing("send(message)", with: "send('new ' .. message)")
            try server.write(script, to: "main.lua")
            server.server.reload()
            try server.log.wait(
                for: "error certificates not reloaded, the old ones go on: \(place.certificate.certificate): "
                    + "no certificate in PEM format")
            try server.log.wait(for: "scripts reloaded")
            let client = try server.connect { _ in }
            #expect(client.socket.tls?.serverSubject == "CN=old.test")
            try client.send("x")
            #expect(try client.receiveText() == "new x")
        }
    }

    @Test("scripts that do not load keep no certificate from being renewed")
    func brokenScripts() throws {
        let place = try Place("old.test")
        try withSecureServer([place.certificate], configure: { $0.tls.watch = false }) { server in
            try place.install("new.test")
            try server.write("oops", to: "main.lua")
            server.server.reload()
            try server.log.wait(for: "scripts not reloaded")
            try server.log.wait(for: "certificates reloaded")
            #expect(try subject(server) == "CN=new.test")
        }
    }
}

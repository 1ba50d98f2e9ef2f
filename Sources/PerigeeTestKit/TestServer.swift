// TestServer: a whole server inside the test's process, with real threads, real sockets and free ports; the test waits for its
// end.
//
// Read next: TestRun.swift, RecordedLog.swift.

public import PubSub
public import Server
public import Settings

/// The server of one test.
public final class TestServer {
    /// The running server.
    public let server: Server
    /// The folder of its scripts; a test may edit them.
    public let scriptsFolder: String
    /// Its log.
    public let log: RecordedLog

    /// Whether it speaks TLS with the certificate of the test authority.
    public let isSecure: Bool

    /// The port for clients, on 127.0.0.1.
    public var clientPort: UInt16 { server.clientPort }
    /// The port of the admin API, on 127.0.0.1.
    public var adminPort: UInt16 { server.adminPort }

    fileprivate init(server: Server, scriptsFolder: String, log: RecordedLog, isSecure: Bool) {
        self.isSecure = isSecure
        self.server = server
        self.scriptsFolder = scriptsFolder
        self.log = log
    }
}

/// Starts a server, calls `body`, and stops the server.
///
/// - Parameters:
///   - scripts: file name below the scripts' folder → Lua source; nil runs the shipped scripts.
///   - configure: changes the configuration: the default one, on free loopback ports, with two workers, without file
///     watching, without pings and without a drain window; in a run of tests over TLS, with a certificate of the test
///     authority on both ports.
///   - broker: makes the broker; without one, memory is the broker.
public func withServer(
    scripts: [String: String]? = nil, configure: (inout Configuration) -> Void = { _ in },
    broker: ((LocalFanout) -> any Broker)? = nil, _ body: (TestServer) throws -> Void
) throws {
    let folder = try TemporaryFolder()
    var configuration = Configuration()
    configuration.listen = .loopback(port: 0)
    configuration.admin.listen = .loopback(port: 0)
    configuration.workers = 2
    configuration.scripts.watch = false
    configuration.drain.window = .zero
    // A debug build is slow, and the machine may be slow, too: only tests of the budget shorten it.
    configuration.scripts.budget = .seconds(30)
    configuration.keepalive.pingInterval = .seconds(3600)
    if let scripts {
        for (name, source) in scripts { try folder.write(source, to: name) }
        configuration.scripts.folder = folder.path
    } else {
        configuration.scripts.folder = File.repositoryRoot + "/Scripts"
    }
    if testsRunOverTLS {
        configuration.tls.certificates = [TestAuthority.certificate.paths]
        configuration.admin.tls = true
    }
    configure(&configuration)
    let log = RecordedLog()
    let server = try Server(configuration, log: log.logger(), broker: broker)
    let isSecure = configuration.tls.certificates == [TestAuthority.certificate.paths]
    let options = TLSOptions(authority: isSecure ? TestAuthority.shared.path : nil)
    if !configuration.tls.certificates.isEmpty { ServedPorts.register(server.clientPort, options) }
    if configuration.admin.tls { ServedPorts.register(server.adminPort, options) }
    defer {
        server.stop()
        ServedPorts.forget(server.clientPort)
        ServedPorts.forget(server.adminPort)
    }
    try body(TestServer(server: server, scriptsFolder: configuration.scripts.folder, log: log, isSecure: isSecure))
}

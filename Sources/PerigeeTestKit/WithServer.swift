// Runs a whole server inside the test's process: real threads, real sockets, free ports, and an end that is waited for.

public import Server

/// A server that a test has to itself.
public final class TestServer {
    /// The running server.
    public let server: Server
    /// The folder that its scripts are in; a test may edit them.
    public let scriptsFolder: String
    /// What it logged so far.
    public let log: RecordedLog

    /// The port for clients, on 127.0.0.1.
    public var clientPort: UInt16 { server.clientPort }
    /// The port of the admin API, on 127.0.0.1.
    public var adminPort: UInt16 { server.adminPort }

    fileprivate init(server: Server, scriptsFolder: String, log: RecordedLog) {
        self.server = server
        self.scriptsFolder = scriptsFolder
        self.log = log
    }
}

/// Starts a server, calls `body`, and stops the server.
///
/// - Parameters:
///   - scripts: file name below the scripts' folder → Lua source; nil runs the scripts that are shipped.
///   - configure: changes the configuration, which is the default one on free loopback ports, with two workers, without
///     file watching.
public func withServer(
    scripts: [String: String]? = nil, configure: (inout Configuration) -> Void = { _ in },
    _ body: (TestServer) throws -> Void
) throws {
    let folder = try TemporaryFolder()
    var configuration = Configuration()
    configuration.listen = .loopback(port: 0)
    configuration.admin.listen = .loopback(port: 0)
    configuration.workers = 2
    configuration.scripts.watch = false
    if let scripts {
        for (name, source) in scripts { try folder.write(source, to: name) }
        configuration.scripts.folder = folder.path
    } else {
        configuration.scripts.folder = File.repositoryRoot + "/Scripts"
    }
    configure(&configuration)
    let log = RecordedLog()
    let server = try Server(configuration, log: log.logger())
    defer { server.stop() }
    try body(TestServer(server: server, scriptsFolder: configuration.scripts.folder, log: log))
}

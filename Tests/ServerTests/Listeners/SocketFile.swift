// A folder for the socket files of one server, and how clients get at them.

import JSON
import PerigeeTestKit
import Server
import Settings
import Testing

/// Socket files of one test, removed with it.
struct SocketFile {
    let folder: TemporaryFolder
    var clients: String { folder.path + "/clients.sock" }
    var admin: String { folder.path + "/admin.sock" }

    init() throws { folder = try TemporaryFolder() }

    /// Makes both listeners of a configuration listen here.
    func use(in configuration: inout Configuration) {
        configuration.listen = ListenAddress(unixPath: clients)!
        configuration.admin.listen = ListenAddress(unixPath: admin)!
    }

    /// A WebSocket through the clients' file.
    func connect(_ path: String = "/", isSecure: Bool = false) throws -> WebSocketClient {
        let socket = try RawSocket.connect(path: clients, timeout: .seconds(10))
        if isSecure { try socket.startTLS(TLSOptions()) }
        try socket.send(WebSocketClient.request(path: path, host: "localhost"))
        return try WebSocketClient.adopt(socket)
    }

    /// The admin API's answer to the real curl, as JSON.
    func curl(_ arguments: String) throws -> JSON {
        let line = "curl -sS --unix-socket '\(admin)' \(arguments)"
        let result = try ChildProcess.shell(line, timeout: .seconds(20))
        #expect(result.status == 0, "\(line): \(result.errors)")
        return try JSON(parsing: result.output)
    }
}

// Servers whose configuration is given by keys, as operators give it.

import PerigeeTestKit
import Settings

@testable import Server

/// A server with these values of keys, on top of those of every test's server.
func withServer(
    keys: [String: String], scripts: [String: String], configure: (inout Configuration) -> Void = { _ in },
    _ body: (TestServer) throws -> Void
) throws {
    var problem: (any Error)?
    try withServer(
        scripts: scripts,
        configure: { configuration in
            configuration.workers = 1
            configure(&configuration)
            do {
                for (key, value) in keys { try configuration.set(key, value) }
            } catch {
                problem = error
            }
        },
        { server in
            if let problem { throw problem }
            try body(server)
        })
}

extension TestServer {
    /// Sends a message on a connection of its own, and gives back the answer.
    func answer(to message: String, timeout: Duration = .seconds(20)) throws -> String {
        let client = try connect()
        try client.send(message)
        return try client.receiveText(timeout: timeout)
    }
}

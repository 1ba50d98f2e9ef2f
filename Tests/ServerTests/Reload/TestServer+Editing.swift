// Edits of a running server's scripts, as editors make them.

import Glibc
import JSON
import PerigeeTestKit

/// A way to change files of which an editor may use any.
enum Edit {
    /// Truncates the file and writes into it.
    case inPlace
    /// Writes another file and renames it over the first.
    case byRename
}

extension TestServer {
    /// Writes one of the scripts, making its folder if need be.
    func write(_ source: String, to name: String, _ edit: Edit = .byRename) throws {
        for (index, letter) in name.enumerated() where letter == "/" {
            mkdir(scriptsFolder + "/" + name.prefix(index), 0o755)
        }
        let path = scriptsFolder + "/" + name
        let written = edit == .inPlace ? path : path + ".new"
        guard let file = fopen(written, "w") else { throw ClientError.system(call: "fopen \(written)", code: errno) }
        fputs(source, file)
        fclose(file)
        if edit == .byRename { rename(written, path) }
    }

    /// Removes one of the scripts.
    func remove(_ name: String) { unlink(scriptsFolder + "/" + name) }

    /// Asks for a reload through the admin API.
    func reload() throws(ClientError) -> HTTPResponse {
        try HTTPClient(port: adminPort, timeout: .seconds(20)).request("POST", "/v1/scripts/reload")
    }

    /// Pushes to a channel.
    func publish(_ text: String, to channel: String) throws(ClientError) -> JSON {
        try HTTPClient(port: adminPort, timeout: .seconds(20))
            .request("POST", "/v1/channels/\(channel)/messages", body: text).json()
    }
}

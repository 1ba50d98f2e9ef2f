// Requests to the admin API, and their errors.

import JSON
import PerigeeTestKit

extension TestServer {
    /// One request to the admin API on a connection of its own.
    func ask(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: String = ""
    ) throws(ClientError) -> HTTPResponse {
        try HTTPClient(port: adminPort, timeout: .seconds(20)).request(method, path, headers: headers, body: body)
    }

    /// A connection to the admin API for bytes of any kind.
    func openAdmin() throws(ClientError) -> RawSocket {
        try RawSocket.connect(port: adminPort, timeout: .seconds(20))
    }
}

extension HTTPResponse {
    /// The stable code of an error; nil when the answer is none.
    var errorCode: String? { try? json()["error"]?["code"]?.string }
}

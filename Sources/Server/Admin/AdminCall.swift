// One request to the admin API on its way through the server: what was asked, and where the answer goes.
//
// Runs on: the admin thread.

import EventLoop
import HTTP1
import JSON
import PubSub

/// A request and its answer.
final class AdminCall {
    let head: RequestHead
    /// The path's parts that the route leaves open, decoded, by name.
    let parameters: [String: String]
    private(set) lazy var query = QueryString(head.query ?? "")
    /// Whether there is a query at all; most pushes have none.
    var hasQuery: Bool { head.query != nil }
    var body: [UInt8] = []
    let requestID: String
    /// Nil once answered. A connection that has hung up since ignores the answer.
    private var connection: AdminConnection?

    init(head: RequestHead, parameters: [String: String], requestID: String, connection: AdminConnection) {
        self.head = head
        self.parameters = parameters
        self.requestID = requestID
        self.connection = connection
    }

    func answer(_ status: Int = 200, _ json: JSONOutput) {
        answer(Response(status: status, fields: [("Content-Type", "application/json")], body: json.bytes))
    }

    func answer(_ response: Response) {
        var response = response
        response.fields.append(("X-Request-Id", requestID))
        connection?.answer(self, with: response)
        connection = nil
    }

    /// The address of who asks; empty for one on a UNIX socket, or gone.
    var ip: String { connection?.peer.host ?? "" }

    func fail(_ error: AdminError) { answer(error.response) }

    // MARK: What was asked

    /// The channel named in the path.
    func channel() throws(AdminError) -> Channel {
        guard let channel = Channel(parameters["channel"] ?? "") else { throw .channelNameInvalid }
        return channel
    }

    /// The connection named in the path.
    func connectionID() throws(AdminError) -> ConnectionID {
        guard let id = ConnectionID(parameters["id"] ?? "") else { throw .connectionNotFound }
        return id
    }

    /// `?limit=`, 1 to 1000, 100 when absent.
    func limit() throws(AdminError) -> Int {
        guard let text = query.first("limit") else { return 100 }
        guard let limit = Int(text), (1...1000).contains(limit) else {
            throw AdminError.parameterInvalid.saying("limit is a number from 1 to 1000")
        }
        return limit
    }
}

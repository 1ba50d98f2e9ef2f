// One request to the admin API on its way through the server: its content, and the place of its answer.
//
// Runs on: the admin thread.
// Read next: AdminConnection.swift, AdminRoute.swift.

import EventLoop
import Gateway
import HTTP1
import JSON
import PubSub

/// A request and its answer.
final class AdminCall {
    let head: RequestHead
    /// The path's parts that the route leaves open, decoded, by name.
    let parameters: PathParameters
    private(set) lazy var query = QueryString(head.query ?? "")
    /// Whether there is a query at all; most pushes have none.
    var hasQuery: Bool { head.query != nil }
    var body: [UInt8] = []
    let requestID: String
    /// The name of the key that it came with; empty where the API has no keys.
    let sender: String
    /// Performs it; nil for a request that has a `refusal`.
    let handler: AdminRoute.Handler?
    let refusal: AdminError?
    /// Whether it may run beside other pushes of its connection. A push whose order is not fixed when it begins clears this, and
    /// the requests behind it wait for its answer.
    var runsBesideOthers: Bool
    /// Whether its body is taken as it comes, and its answer may leave in pieces: it then begins with its head.
    let streams: Bool
    /// Takes the body of a request that streams, from the time at which the handler sets it.
    var reader: (any BodyReader)?
    /// Its number on the connection, from the time at which it begins.
    var number: UInt64 = 0
    /// Nil once answered. A connection that has hung up since ignores the answer.
    private var connection: AdminConnection?

    init(
        head: RequestHead, parameters: PathParameters = PathParameters(), requestID: String,
        handler: AdminRoute.Handler?, refusal: AdminError? = nil, isPush: Bool = false, streams: Bool = false,
        sender: String = "", connection: AdminConnection
    ) {
        self.head = head
        self.parameters = parameters
        self.requestID = requestID
        self.handler = handler
        self.refusal = refusal
        runsBesideOthers = isPush && !streams
        self.streams = streams
        self.sender = sender
        self.connection = connection
    }

    /// Whether its handler takes the body as it comes, and so begins before it: a request without a body begins at its end.
    var streamsIn: Bool { streams && refusal == nil && head.body != .none && head.body != .length(0) }

    var isAnswered: Bool { connection == nil }

    /// The client's address; empty for a UNIX socket, and once answered.
    var ip: String { connection?.peer.host ?? "" }

    // MARK: Answers

    func answer(_ status: Int = 200, _ json: JSONOutput) {
        send(
            Response(
                status: status,
                fields: [(name: "Content-Type", value: "application/json"), (name: "X-Request-Id", value: requestID)],
                body: json.bytes))
    }

    func answer(_ response: Response) {
        var response = response
        response.fields.append(("X-Request-Id", requestID))
        send(response)
    }

    private func send(_ response: Response) {
        guard let connection else { return }
        self.connection = nil
        reader = nil
        connection.take(response, to: number)
    }

    func fail(_ error: AdminError) { answer(error.response) }

    // MARK: An answer in pieces

    /// Sends the head of an answer whose body comes in pieces; for a request that streams.
    func begin(_ response: Response) {
        var response = response
        response.fields.append(("X-Request-Id", requestID))
        connection?.beginPieces(response, to: number)
    }

    /// Sends a piece of the body.
    func write(_ piece: [UInt8]) { connection?.write(piece: piece, to: number) }

    /// Ends the body, and so the answer.
    func end() {
        guard let connection else { return }
        self.connection = nil
        reader = nil
        connection.endPieces(of: number)
    }

    /// Bytes of the answer that wait for the client to read.
    var queuedBytes: Int { connection?.unreadBytes ?? 0 }

    /// Reads no more of the body; its reader hears the cause.
    func stopReading(_ cause: AdminError) { connection?.endBody(cause) }

    /// The reader takes bytes again.
    func goOn() { connection?.readerGoesOn() }

    // MARK: Its content

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

/// Calls that wait for a report of another thread, by the ticket that the report names.
struct WaitingCalls {
    private var calls: [UInt64: AdminCall] = [:]

    mutating func add(_ call: AdminCall, _ ticket: UInt64) { calls[ticket] = call }

    /// The call that waits for this report, which waits no more.
    mutating func take(_ ticket: UInt64) -> AdminCall? { calls.removeValue(forKey: ticket) }

    /// Answers all of them with an error.
    mutating func failAll(_ error: AdminError) {
        let failing = calls.values
        calls = [:]
        for call in failing { call.fail(error) }
    }
}

// Everything that another thread can ask of a worker. A `ticket` names the question; the answer goes to the admin thread's inbox.

import EventLoop
import PubSub
import Scripting
import WebSocket

/// A message in a worker's inbox.
enum WorkerMessage: Sendable {
    /// Hand a publication to the subscribers here, and report the count if there is a receipt.
    case deliver(Publication, receipt: UInt64?)
    /// Send a frame to one connection, to a user's, to those of a path, or to all.
    case send(Frame, to: Audience, ticket: UInt64?)
    /// Close one connection: for the operator who waits for the answer to the ticket, or for a script of another worker.
    case close(ConnectionID, code: CloseCode, reason: String, ticket: UInt64?)
    case closeUser(String, code: CloseCode, reason: String)
    case describe(ConnectionID, ticket: UInt64)
    case list(ConnectionQuery, ticket: UInt64)
    case channels(ChannelQuery, ticket: UInt64)
    case statistics(ticket: UInt64)
    case scriptStatistics(ticket: UInt64)
    /// All that `/metrics` and `/readyz` want to know.
    case measure(ticket: UInt64)
    /// Whether a backend's push may pass; pushes with the same `order` are asked about one after the other.
    case askPublish(ScriptQuestion, order: String, ticket: UInt64)
    /// A backend's call for the script of that name.
    case askRequest(ScriptQuestion, script: String, ticket: UInt64)
    /// Reload, step by step: run a bundle beside the live one, then make it live or drop it. A vote carries the round of its
    /// question.
    case prepare(ScriptBundle, round: UInt64)
    /// Bring the states to what the prepared bundle wants, and wait for the word to make it live (true) or drop it.
    case migrate(Inbox<Bool>, round: UInt64)
    case commit(round: UInt64)
    case discard
    /// Begin to accept clients from sockets that were passed to the process.
    case accept([PassedSockets.Share])
    /// Another process runs the named timers from here on; tell the lifecycle up to when they have run here.
    case handOverTimers
    /// Run the named timers, which another process has run up to a second of the calendar; nil where that is not known.
    case takeOverTimers(ranUntil: Int?)
    /// Tell the lifecycle that the loop goes round.
    case answerAlive
    /// Accept nobody more and close every connection, spread over a time; tell the lifecycle when all are gone.
    case drain(Drain)
    /// Cut what is left, and end.
    case stop
}

/// Whom a direct message is for.
enum Audience: Sendable {
    case connection(ConnectionID)
    case user(String)
    case path(String)
    case everyone
}

/// Which connections a listing is about.
struct ConnectionQuery: Sendable {
    var channel: Channel?
    var user: String?
    var path: String?
    /// Begins at this slot of the worker's table.
    var firstSlot: UInt32 = 0
    /// At most so many, 1 to 1000.
    var limit: Int
}

/// Which channels a listing is about.
struct ChannelQuery: Sendable {
    var prefix = ""
    /// Only channels whose name comes after this one.
    var after: Channel?
    /// At most so many, 1 to 1000.
    var limit: Int
}

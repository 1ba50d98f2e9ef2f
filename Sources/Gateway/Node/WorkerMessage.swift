// The messages of other threads to a worker. Frames are values of their own, because each push is one; every other message is a
// closure that runs on the worker's thread.
//
// Read next: ../Worker/WorkerOrders.swift, AdminMessage.swift, WorkerInboxes.swift.

import PubSub
import WebSocket

/// A message in a worker's inbox.
enum WorkerMessage: Sendable {
    /// Hand a publication to the subscribers here, and report the count if there is a receipt.
    case deliver(Publication, receipt: UInt64?)
    /// Send a frame to an audience, and report the count if there is a receipt.
    case send(Frame, to: Audience, receipt: UInt64?)
    /// The broker has answered a request of this worker.
    case brokerAnswered(ticket: UInt64, BrokerAnswer)
    /// Do something with the worker, unless it has ended.
    case work(@Sendable (_ worker: AnyObject) -> Void)
    /// Answer a question of the worker's scripts, also when the worker has ended.
    case question(@Sendable (_ worker: AnyObject) -> Void)
}

/// The connections that a direct message is for.
package enum Audience: Sendable {
    case connection(ConnectionID)
    case user(String)
    case path(String)
    case everyone
}

// Everything that another thread can ask of a worker. Frames are values of their own, because each push is one; everything else is
// a closure that runs on the worker's thread.
//
// Read next: Worker+Inbox.swift, ../Node/AdminMessage.swift, ../Node/WorkerInboxes.swift.

import PubSub
import WebSocket

/// A message in a worker's inbox.
enum WorkerMessage: Sendable {
    /// Hand a publication to the subscribers here, and report the count if there is a receipt.
    case deliver(Publication, receipt: UInt64?)
    /// Send a frame to an audience, and report the count if there is a receipt.
    case send(Frame, to: Audience, receipt: UInt64?)
    /// Do something, unless the worker has ended.
    case order(@Sendable (Worker) -> Void)
    /// Answer a question of the scripts, also when the worker has ended.
    case ask(@Sendable (Worker) -> Void)
}

/// The connections that a direct message is for.
package enum Audience: Sendable {
    case connection(ConnectionID)
    case user(String)
    case path(String)
    case everyone
}

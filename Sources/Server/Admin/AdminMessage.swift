// What other threads tell the admin thread.

/// A message in the admin thread's inbox.
enum AdminMessage: Sendable {
    case answer(ticket: UInt64, worker: UInt8, WorkerAnswer)
    case reloaded(ticket: UInt64, ReloadReport)
    /// How an upgrade ended that a request has asked for.
    case upgraded(ticket: UInt64, UpgradeReport)
    /// Begin to accept requests from sockets that were passed to the process.
    case accept([Int32])
    /// Tell the lifecycle that the loop goes round.
    case answerAlive
    /// The server stops: questions and pushes are still answered. In a handover, new connections are the new process's.
    case drain(isHandover: Bool)
    /// Answer what is in, and end.
    case stop
}

// What other threads tell the admin thread.

/// A message in the admin thread's inbox.
enum AdminMessage: Sendable {
    case answer(ticket: UInt64, worker: UInt8, WorkerAnswer)
    case reloaded(ticket: UInt64, ReloadReport)
    case stop
}

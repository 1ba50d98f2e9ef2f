// The messages of other threads to the lifecycle, the thread that watches over the server's life.

/// A message in the lifecycle's inbox.
package enum LifecycleMessage: Sendable {
    /// Stop, with the connections' ends spread over a time; nil: over the configured one.
    case drain(over: Duration?, cause: String)
    /// Start the program anew and hand over to it.
    /// - ticket: for the admin thread, which waits for the report; nil when no request does.
    case upgrade(ticket: UInt64?)
    /// A reload that a signal asked for is over.
    case reloaded
    /// A thread's loop goes round.
    case alive(Member)
    /// The named timers have run here up to a second of the calendar, and run here no more.
    case timersHandedOver(ranUntil: Int)
    /// A worker has no connections any more.
    case drained(worker: UInt8)
    /// A thread's loop has ended.
    case left(Member)

    /// A thread that must go round for the server to be well.
    package enum Member: Hashable, Sendable {
        case worker(UInt8)
        case admin
    }
}

/// How an upgrade ended.
package enum UpgradeReport: Sendable {
    /// The new process serves.
    case done(pid: Int32)
    /// Nothing has changed, and this is why.
    case failed(String)
    /// One is under way already.
    case running
}

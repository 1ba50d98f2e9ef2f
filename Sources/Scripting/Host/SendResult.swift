// How a message to one connection went.

/// What became of `conn:send`: in Lua `true`, `false, "closed"` or `false, "slow"`.
public enum SendResult: Sendable {
    /// The frame is in the connection's queue.
    case sent
    /// The connection is closed or closing.
    case closed
    /// The connection's queue is over its limit.
    case slow
}

// How often a handler ran.

/// Calls of one handler and how many of them failed, since the engine was made.
public struct HandlerCount: Sendable, Hashable {
    public internal(set) var calls: UInt64 = 0
    public internal(set) var errors: UInt64 = 0
}

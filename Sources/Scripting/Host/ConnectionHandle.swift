// Which connection a script speaks of.

/// A connection as the script engine knows it: a slot of its worker's table and which of the slot's successive owners
/// is meant.
///
/// A handle whose generation has passed is stale: the host answers "closed" for it.
public struct ConnectionHandle: Hashable, Sendable {
    /// The index in the worker's table; used again after the connection is gone.
    public var slot: UInt32
    /// Differs for every owner of the slot.
    public var generation: UInt32

    /// Names the owner `generation` of `slot`.
    public init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }
}

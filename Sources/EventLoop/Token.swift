// The name of a source in its loop: a slot that is reused, and a generation that is not. It travels through epoll, through
// Lua and through the inbox in place of a pointer, so that whatever arrives late finds "gone" and never a stranger.

/// A source's place in its loop's table.
public struct Token: Hashable, Sendable {
    /// Index in the table, reused after the source is gone.
    public let slot: UInt32
    /// Counts the uses of the slot; a token whose generation is not the slot's present one is stale.
    public let generation: UInt32

    public init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    /// Both halves as the one number that epoll carries.
    var packed: UInt64 { UInt64(generation) << 32 | UInt64(slot) }

    init(packed: UInt64) {
        slot = UInt32(truncatingIfNeeded: packed)
        generation = UInt32(truncatingIfNeeded: packed >> 32)
    }
}

// Which connections have been without a message, and for how many looks: two flat lists by slot, which exist only where
// `keepalive.idleTimeout` is set.

/// The messages of each slot's connection at the last look, and the looks since they were fewer.
struct IdleTable {
    private var messages: [UInt32] = []
    private var looks: [UInt8] = []

    /// A new connection is in the slot.
    mutating func begin(_ slot: Int) {
        while messages.count <= slot {
            messages.append(0)
            looks.append(0)
        }
        (messages[slot], looks[slot]) = (0, 0)
    }

    /// Looks at a connection that has had so many messages; answers how many looks in a row, this one included, found none new.
    mutating func look(_ slot: Int, messages count: UInt32) -> UInt8 {
        guard slot < messages.count else { return 0 }
        looks[slot] = messages[slot] == count ? min(looks[slot], UInt8.max - 1) + 1 : 0
        messages[slot] = count
        return looks[slot]
    }
}

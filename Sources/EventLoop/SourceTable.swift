// The loop's sources by slot, and the tokens that name them. The table is a flat array of pointers and generations: it
// takes one read to find the source of an epoll event. The deadlines of all sources lie side by side, so that a sweep
// over ten thousand of them takes microseconds.
//
// A token is a slot, which is used again, and a generation, which is not. Tokens travel through epoll, Lua and the
// inbox in place of pointers, so a token that arrives late finds no source and never another one.
//
// Allocates: when it grows (doubling), never per event.

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

/// Sources by slot, with their generations and deadlines.
struct SourceTable {
    /// Deadline value of a source that has none.
    static let noDeadline = UInt32.max

    private struct Entry {
        var source: Unmanaged<Source>?
        var generation: UInt32
    }

    private var entries: [Entry] = []
    private var free: [UInt32] = []
    /// Per slot: the tick at which the source's time is up.
    private var deadlines: [UInt32] = []
    /// How many sources have a deadline; the loop ticks only while there are any.
    private(set) var armed = 0
    /// How many sources there are.
    private(set) var count = 0

    /// The number of slots, used or not; every token's slot is below it.
    var capacity: Int { entries.count }

    mutating func insert(_ source: Source) -> Token {
        let slot: UInt32
        if let reused = free.popLast() {
            slot = reused
        } else {
            slot = UInt32(entries.count)
            entries.append(Entry(source: nil, generation: 0))
            deadlines.append(Self.noDeadline)
        }
        entries[Int(slot)].source = Unmanaged.passRetained(source)
        count += 1
        return Token(slot: slot, generation: entries[Int(slot)].generation)
    }

    /// Forgets the source; its token is stale from here on.
    mutating func remove(_ token: Token) {
        guard let source = self[token] else { return }
        setDeadline(Self.noDeadline, of: token)
        let index = Int(token.slot)
        entries[index].source = nil
        entries[index].generation &+= 1
        free.append(token.slot)
        count -= 1
        Unmanaged.passUnretained(source).release()
    }

    /// The source of a token, nil when it is gone.
    subscript(token: Token) -> Source? {
        let index = Int(token.slot)
        guard index < entries.count, entries[index].generation == token.generation else { return nil }
        return entries[index].source?.takeUnretainedValue()
    }

    /// The source in a slot, nil when the slot is unused.
    func source(at slot: Int) -> Source? {
        slot < entries.count ? entries[slot].source?.takeUnretainedValue() : nil
    }

    mutating func setDeadline(_ tick: UInt32, of token: Token) {
        let index = Int(token.slot)
        guard index < entries.count, entries[index].generation == token.generation else { return }
        if deadlines[index] != Self.noDeadline { armed -= 1 }
        if tick != Self.noDeadline { armed += 1 }
        deadlines[index] = tick
    }

    /// Names the sources whose deadlines lie at or before `tick`. Call `takeExpired` for each of them when its turn
    /// comes.
    func findExpired(at tick: UInt32, into tokens: inout [Token]) {
        for index in deadlines.indices where deadlines[index] <= tick {
            tokens.append(Token(slot: UInt32(index), generation: entries[index].generation))
        }
    }

    /// Clears the deadline of a source if it is still at or before `tick`; false when it was moved or cancelled
    /// meanwhile, or the source is gone.
    mutating func takeExpired(_ token: Token, at tick: UInt32) -> Bool {
        guard self[token] != nil, deadlines[Int(token.slot)] <= tick else { return false }
        setDeadline(Self.noDeadline, of: token)
        return true
    }

    /// The tick of a source's deadline; `noDeadline` when it has none.
    func deadline(of token: Token) -> UInt32 { self[token] == nil ? Self.noDeadline : deadlines[Int(token.slot)] }

    /// Releases every source.
    mutating func removeAll() {
        for index in entries.indices {
            entries[index].source?.release()
            entries[index].source = nil
            entries[index].generation &+= 1
        }
        count = 0
    }
}

// How much CPU scripts have used in the present turn of the loop, and whether others are to go on. An event costs one look at a
// clock that the kernel moves every few milliseconds: only an event that saw it move took long enough to matter, by itself or
// with those before it, and the exact clocks are read.

/// The CPU time of scripts in one turn.
struct TurnSlice {
    /// So many slices end the turn for everybody who is still to be read.
    private static let farOver: UInt64 = 4

    /// Nanoseconds.
    private let length: UInt64
    private var tick: UInt64 = 0
    /// The thread's CPU time when it was last read.
    private var lastReading: UInt64
    private var isMeasured = false
    /// Nanoseconds of CPU in this turn, as far as they were measured.
    private(set) var used: UInt64 = 0
    /// Whether the slice is used up: an event that brings work of its own goes on in the next turn.
    private(set) var isOver = false
    /// Whether it is used up several times: new input waits for the next turn.
    private(set) var isFarOver = false

    /// - Parameters:
    ///   - length: nanoseconds of CPU.
    ///   - cpu: nanoseconds of CPU that the thread has had.
    init(length: UInt64, cpu: UInt64) {
        self.length = length
        lastReading = cpu
    }

    /// Whether the coarse clock has moved since it was last asked.
    @inline(__always)
    mutating func hasTicked(_ coarse: UInt64) -> Bool {
        guard coarse != tick else { return false }
        tick = coarse
        return true
    }

    /// Notes what the clocks say; answers the nanoseconds that were used since they were last read.
    /// - Parameters:
    ///   - cpu: nanoseconds of CPU that the thread has had.
    ///   - wall: nanoseconds since the turn began, of which the thread had the CPU for a part.
    @discardableResult
    mutating func measure(cpu: UInt64, wall: UInt64) -> UInt64 {
        let sinceReading = cpu &- lastReading
        // The first reading of a turn comes long after the last one of another.
        let spent = isMeasured ? sinceReading : min(sinceReading, wall)
        lastReading = cpu
        isMeasured = true
        used += spent
        isOver = used >= length
        isFarOver = used >= length * Self.farOver
        return spent
    }

    /// The turn has ended.
    mutating func end() {
        guard isMeasured else { return }
        (isMeasured, isOver, isFarOver, used) = (false, false, false, 0)
    }
}

// The CPU that scripts have used in the present turn of the loop, and whether others are to go on. An event costs one look at a
// clock that the kernel moves every few milliseconds. An event that saw the clock move took long enough to matter, by itself or
// with those before it; only then are the exact clocks read.

/// The CPU time of scripts in one turn.
struct TurnSlice {
    /// So many slices end the turn for all connections that are still to be read.
    private static let farOver: UInt64 = 2

    /// Nanoseconds.
    private let length: UInt64
    /// Nanoseconds by which the coarse clock moves.
    private let coarseTick: UInt64
    private var tick: UInt64 = 0
    /// The thread's CPU time when it was last read.
    private var lastReading: UInt64
    private var isMeasured = false
    /// Nanoseconds of CPU in this turn, as far as they were measured.
    private(set) var used: UInt64 = 0
    /// Whether the slice is used up: an event that brings work of its own goes on in the next turn.
    private(set) var isOver = false
    /// Whether it is used up twice: new input waits for the next turn.
    private(set) var isFarOver = false
    /// How often the clocks were read since the present source began.
    private var sourceReadings = 0
    private var lastSpent: UInt64 = 0

    /// - Parameters:
    ///   - length: nanoseconds of CPU.
    ///   - cpu: nanoseconds of CPU that the thread has had.
    ///   - coarseTick: nanoseconds by which the coarse clock moves.
    init(length: UInt64, cpu: UInt64, coarseTick: UInt64) {
        self.length = length
        self.coarseTick = coarseTick
        lastReading = cpu
    }

    /// The events of another source begin.
    @inline(__always)
    mutating func beginSource() { sourceReadings = 0 }

    /// Whether a good part of the slice was used by the source that runs now, and not by those before it.
    var isSourceHeavy: Bool {
        guard sourceReadings > 0 else { return false }
        // The first reading may count the CPU of others since the coarse clock moved last.
        return lastSpent >= length / 4 + (sourceReadings == 1 ? coarseTick : 0)
    }

    /// Whether the coarse clock has moved since it was last asked.
    @inline(__always)
    mutating func hasTicked(_ coarse: UInt64) -> Bool {
        guard coarse != tick else { return false }
        tick = coarse
        return true
    }

    /// Notes the clocks; answers the nanoseconds that were used since they were last read.
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
        lastSpent = spent
        sourceReadings += 1
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

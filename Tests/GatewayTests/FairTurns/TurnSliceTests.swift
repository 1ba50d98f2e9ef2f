// The slice of a turn, by clocks that the test sets.

import Testing

@testable import Gateway

@Suite("Turn slice", .bounded)
struct TurnSliceTests {
    private var slice = TurnSlice(length: 10_000, cpu: 5_000, coarseTick: 4_000)

    @Test("the coarse clock is asked about movement alone")
    mutating func tick() {
        let answers = [slice.hasTicked(7), slice.hasTicked(7), slice.hasTicked(8)]
        #expect(answers == [true, false, true])
    }

    @Test("the first reading of a turn counts no CPU of earlier turns")
    mutating func firstReading() {
        let first = slice.measure(cpu: 1_000_000, wall: 3_000)
        #expect(first == 3_000 && !slice.isOver)
        let second = slice.measure(cpu: 1_004_000, wall: 50_000)
        #expect(second == 4_000 && slice.used == 7_000)
        #expect(!slice.isOver)
    }

    @Test("a source that begins behind others pays for its own part of the slice")
    mutating func source() {
        slice.measure(cpu: 9_000, wall: 4_000)
        slice.beginSource()
        #expect(!slice.isSourceHeavy)
        // Of these 4,000 the sources before it may have had all.
        slice.measure(cpu: 13_000, wall: 8_000)
        #expect(!slice.isSourceHeavy)
        slice.measure(cpu: 15_000, wall: 10_000)
        #expect(!slice.isSourceHeavy)
        slice.measure(cpu: 19_000, wall: 14_000)
        #expect(slice.isSourceHeavy)
        slice.beginSource()
        slice.measure(cpu: 26_000, wall: 21_000)
        #expect(slice.isSourceHeavy)
    }

    @Test("time that the machine took counts for nothing")
    mutating func preempted() {
        let spent = slice.measure(cpu: 6_000, wall: 900_000)
        #expect(spent == 1_000 && !slice.isOver)
    }

    /// It is far over after the time of two slices.
    @Test("a slice is over once used up and new in the next turn")
    mutating func over() {
        slice.measure(cpu: 15_000, wall: 10_000)
        #expect(slice.isOver && !slice.isFarOver)
        slice.measure(cpu: 25_000, wall: 20_000)
        #expect(slice.isOver && slice.isFarOver)
        slice.end()
        #expect(!slice.isOver && !slice.isFarOver && slice.used == 0)
        let spent = slice.measure(cpu: 34_999, wall: 20_000)
        #expect(spent == 9_999 && !slice.isOver)
    }
}

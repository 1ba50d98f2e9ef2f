// The place in a script that the log names, and the times at which it does.

import Testing

@testable import Gateway

@Suite("Causes of a backlog", .bounded)
struct BacklogCausesTests {
    private var causes = BacklogCauses()

    /// Only when the backlog is old enough.
    @Test("the source of most work is reported once a minute")
    mutating func onceAMinute() {
        var told: [String] = []
        for now in stride(from: UInt64(1_000), through: 181_000, by: 500) {
            causes.note("a.lua:1", 2_000_000, at: now)
            causes.note("b.lua:1", 3_000_000, at: now)
            let isYoung = causes.isDue(age: BacklogCauses.age - 1, at: now)
            #expect(!isYoung)
            if causes.isDue(age: BacklogCauses.age, at: now), let cause = causes.report(at: now) {
                told.append("\(now) \(cause.place) \(cause.milliseconds)")
            }
        }
        #expect(told == ["1000 b.lua:1 3", "61000 b.lua:1 3", "121000 b.lua:1 3", "181000 b.lua:1 3"])
    }

    /// Of equals the first by name is reported.
    @Test("a report begins anew")
    mutating func anew() {
        causes.note("b", 5_000_000, at: 0)
        causes.note("a", 5_000_000, at: 0)
        let first = causes.report(at: 0)
        #expect(first?.place == "a" && first?.milliseconds == 5)
        let none = causes.report(at: 0)
        #expect(none == nil)
        let isDue = causes.isDue(age: 1_000, at: 100_000)
        #expect(!isDue, "nobody has used anything")
    }

    /// At most a hundred sources are counted.
    @Test("work older than a minute does not count")
    mutating func bounded() {
        causes.note("old", 9_000_000_000, at: 0)
        for number in 0..<200 { causes.note("new \(number)", UInt64(number) * 1_000_000, at: 60_000) }
        let cause = causes.report(at: 60_000)
        #expect(cause?.place == "new 99" && cause?.milliseconds == 99)
    }
}

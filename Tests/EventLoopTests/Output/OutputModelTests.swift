// The loop's output compared with the reference: every byte goes once, in order, to the socket for which it was
// written.
//
// PERIGEETEST_OUTPUT_TURNS sets how many random turns there are in all: a run of continuous integration has 64,000, and
// `make output-model` has a million, which take some minutes. `make output-model SANITIZE=address` does it under
// AddressSanitizer.

import Glibc
import Testing

@testable import EventLoop

@Suite("Output: model", .bounded(minutes: 60))
struct OutputModelTests {
    private static let seeds = 16
    private static let turns = getenv("PERIGEETEST_OUTPUT_TURNS").flatMap { Int(String(cString: $0)) } ?? 64_000

    @Test("every byte goes once and in order to the socket for which it was written", arguments: 0..<seeds)
    func everyByte(_ seed: Int) {
        let model = OutputModel(seed: UInt64(seed))
        model.run(turns: max(1, Self.turns / Self.seeds))
        #expect(model.faults == [])
        let seen = model.seen
        #expect(seen.refusals > 100 && seen.failures > 10 && seen.drained > 100, "\(seen)")
        #expect(seen.closed > 50 && seen.fullTurns > 2 && seen.bytes > 1 << 20, "\(seen)")
        #expect(seen.keyUpdates > 10 && seen.refusedWhileDirty > 2 && seen.renegotiations > 0, "\(seen)")
        #expect(seen.deadlines > 5 && seen.stalls > 2 && seen.messages > 50, "\(seen)")
        #expect(seen.works > 50 && seen.putOffs > 5, "\(seen)")
    }
}

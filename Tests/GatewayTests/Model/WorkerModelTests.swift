// The scripts' view of connections, pushes and time, under random events in random order.
//
// `MODEL_SEEDS` says how many seeds are run, `MODEL_FIRST` which is the first, `MODEL_STEPS` how many steps each has.

import Glibc
import Testing

@Suite("a worker beside its model", .timeLimit(.minutes(60)), .bounded)
struct WorkerModelTests {
    private static func setting(_ name: String, _ absent: Int) -> Int {
        getenv("MODEL_\(name)").flatMap { Int(String(cString: $0)) } ?? absent
    }

    static let seeds = (0..<setting("SEEDS", 3)).map { UInt64($0 + setting("FIRST", 1)) }

    @Test(
        "each script sees every event once, in order, whole, in its version",
        arguments: WorkerModelTests.seeds)
    func run(seed: UInt64) throws {
        let steps = Self.setting("STEPS", 10_000)
        let seen = try WorkerModelRun.run(seed: seed, steps: steps)
        guard steps >= 10_000 else { return }
        let all = [
            "c open", "c message", "c close", "u upgrade", "a spawn", "a timer", "q publish", "q request",
            "l reload", "l stop", "closed", "timeout", "answer",
        ]
        // Few lives hold a client that is slow for long enough, and drains.
        #expect(seen["c drain", default: 0] >= 1)
        for kind in all { #expect(seen[kind, default: 0] >= 20, "\(kind): \(seen[kind, default: 0])") }
    }
}

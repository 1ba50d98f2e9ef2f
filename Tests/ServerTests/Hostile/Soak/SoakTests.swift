// Everything at once against the program itself, and afterwards nothing may be left of it.
//
// SOAK_SECONDS sets how long it lasts, SOAK_SEED repeats a run as far as the machine's timing allows.
// Read next: Soak.swift

import Glibc
import PerigeeTestKit
import Testing

@Suite("Soak", .bounded(minutes: 10 + SoakLength.seconds / 60))
struct SoakTests {
    /// Connects, floods, half-open sockets, resets, slow readers, garbage, pushes and reloads.
    @Test("memory and descriptors return to their level after every attack")
    func everythingAtOnce() throws {
        let seconds = SoakLength.seconds
        let seed = SoakLength.setting("SOAK_SEED") ?? UInt64.random(in: 0...999_999)
        print("soak: \(seconds) s, SOAK_SEED=\(seed)")
        let soak = try Soak(seed: seed)
        // A server that has just begun has not opened all that it needs: some load first.
        try soak.run(for: .milliseconds(300))
        let fresh = try soak.settled()
        // The first half brings every pool, table and heap to the size that this load needs; the second may not add to it.
        try soak.run(for: .milliseconds(500 * seconds))
        let half = try soak.settled(to: fresh.descriptors)
        try soak.run(for: .milliseconds(500 * seconds))
        let whole = try soak.settled(to: fresh.descriptors)
        print("soak: \(soak.report); before \(fresh), after half \(half), after all \(whole)")

        #expect(try soak.end() == 0, "seed \(seed)")
        // A sanitizer has descriptors and memory of its own.
        guard !Sanitizer.isActive else { return }
        #expect(half.descriptors == fresh.descriptors && whole.descriptors == fresh.descriptors, "seed \(seed)")
        // In the second half of a minute some 8,000 clients come and go: a leak of 1 KiB for each would be 8 MiB.
        // malloc's arenas and Lua's collectors differ by 1 to 2 MiB from one quiet moment to the next, and the whole
        // load needs about 10 at its height, in five threads' arenas. Smaller leaks are for AddressSanitizer, under
        // which the program's exit status says whether there was one.
        #expect(whole.kibibytes <= half.kibibytes + 6 << 10, "seed \(seed)")
        #expect(whole.kibibytes <= fresh.kibibytes + 24 << 10, "seed \(seed)")
    }
}

/// The length of the run; its suite may take that, and ten minutes more.
private enum SoakLength {
    static let seconds = Int(setting("SOAK_SECONDS") ?? 5)

    static func setting(_ name: String) -> UInt64? { getenv(name).flatMap { UInt64(String(cString: $0)) } }
}

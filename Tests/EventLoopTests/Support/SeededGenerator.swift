// A small generator of random numbers that gives the same ones in every run.

/// The SplitMix64 sequence.
struct SeededGenerator: RandomNumberGenerator {
    /// What `bytes` cuts its answers from: making each byte anew would take most of a test's time.
    private static let noise: [UInt8] = {
        var generator = SeededGenerator(seed: 0)
        return (0..<1 << 14).flatMap { _ in withUnsafeBytes(of: generator.next(), Array.init) }
    }()

    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    mutating func oneIn(_ count: Int) -> Bool { Int.random(in: 0..<count, using: &self) == 0 }

    mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            let start = Int.random(in: 0..<Self.noise.count, using: &self)
            bytes += Self.noise[start..<min(Self.noise.count, start + count - bytes.count)]
        }
        return bytes
    }
}

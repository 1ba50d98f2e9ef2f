// Many random bytes at little cost, for streams.

import SeededGenerator

extension SeededGenerator {
    /// What `bytes` cuts its answers from: making each byte anew would take most of a test's time.
    private static let noise: [UInt8] = {
        var generator = SeededGenerator(seed: 0)
        return (0..<1 << 14).flatMap { _ in withUnsafeBytes(of: generator.next(), Array.init) }
    }()

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

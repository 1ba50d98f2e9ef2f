// Bytes for sockets to send: memory that several sockets share, and many random bytes at little cost.

import SeededGenerator

/// An immutable block that counts how many of its kind are alive.
final class SharedBytes {
    nonisolated(unsafe) private var storage: UnsafeMutableRawBufferPointer
    private let gone: () -> Void

    init(_ bytes: [UInt8], gone: @escaping () -> Void = {}) {
        storage = .allocate(byteCount: bytes.count, alignment: 1)
        storage.copyBytes(from: bytes)
        self.gone = gone
    }

    /// Overwrites itself when it ends, so that a reader that comes too late reads other bytes.
    deinit {
        storage.initializeMemory(as: UInt8.self, repeating: 0xDD)
        storage.deallocate()
        gone()
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(storage) }
}

extension SeededGenerator {
    /// The block from which `bytes` cuts its results: making each byte would take most of a test's time.
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

// Memory that several sockets send from, and that must live until the last of them has.

/// An immutable block that counts how many of its kind are alive.
final class SharedBytes {
    nonisolated(unsafe) private var storage: UnsafeMutableRawBufferPointer
    private let gone: () -> Void

    init(_ bytes: [UInt8], gone: @escaping () -> Void = {}) {
        storage = .allocate(byteCount: bytes.count, alignment: 1)
        storage.copyBytes(from: bytes)
        self.gone = gone
    }

    /// Overwrites itself on the way out, so that whoever reads it too late reads something else.
    deinit {
        storage.initializeMemory(as: UInt8.self, repeating: 0xDD)
        storage.deallocate()
        gone()
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(storage) }
}

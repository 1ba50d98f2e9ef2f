// A frame's compressed twin. Whoever needs it first makes it, on whatever thread; everybody after that shares it, so a
// publication is compressed once for all its subscribers on all workers.
// Allocates: the twin, once.

import Synchronization

extension FrameStorage {
    /// Stands for "compressing does not make it smaller".
    nonisolated(unsafe) private static let incompressible = FrameStorage.encode(
        .binary, UnsafeRawBufferPointer(start: nil, count: 0))

    /// The twin, made by `compress` if there is none yet; the frame itself when `compress` answers nil.
    ///
    /// A thread that comes while another one is at work waits for it, which takes no longer than doing it again.
    func twin(_ compress: () -> FrameStorage?) -> FrameStorage {
        if let known = twin.pointee.load() { return resolve(known) }
        Gate.of(self).mutex.withLock { _ in
            guard twin.pointee.load() == nil else { return }
            _ = twin.pointee.storeIfNil(compress() ?? Self.incompressible)
        }
        return resolve(twin.pointee.load()!)
    }

    private func resolve(_ twin: FrameStorage) -> FrameStorage {
        twin === Self.incompressible ? self : twin
    }
}

/// One of the locks that the frames of the process share; a lock of its own would cost each frame that needs none.
private final class Gate: Sendable {
    let mutex = Mutex(())

    private static let gates = (0..<64).map { _ in Gate() }

    static func of(_ storage: FrameStorage) -> Gate {
        // Blocks of memory begin at multiples of 16.
        gates[Int(bitPattern: ObjectIdentifier(storage)) >> 4 & 63]
    }
}

// The one block of memory behind a frame: the number of bytes, a reference to the compressed form of the same message,
// then header and payload as they go on the wire. The first thread that needs the compressed form makes it, and every
// other thread shares it, so a publication is compressed once for all its subscribers on all workers.
// Allocates: one block for a frame, and one for its compressed form when a connection needs it.

import Synchronization

/// The bytes of a `Frame`, and the way to its compressed form.
final class FrameStorage: ManagedBuffer<Int, UInt8> {
    private typealias CompressedForm = AtomicLazyReference<FrameStorage>

    /// The bytes on the wire.
    var count: Int { header }

    /// The size of the header, as `FrameHeader.size(payload:)` has it.
    var payloadOffset: Int {
        let count = count
        return count <= 2 + 125 ? 2 : count <= 4 + 0xFFFF ? 4 : 10
    }

    /// The first byte on the wire.
    var start: UnsafeMutableRawPointer { UnsafeMutableRawPointer(compressedForm + 1) }

    /// The place of the reference to the same message compressed; empty until a connection needs that.
    private var compressedForm: UnsafeMutablePointer<CompressedForm> {
        withUnsafeMutablePointerToElements { UnsafeMutableRawPointer($0).assumingMemoryBound(to: CompressedForm.self) }
    }

    static func encode(_ opcode: Opcode, compressed: Bool = false, _ payload: UnsafeRawBufferPointer) -> FrameStorage {
        let offset = FrameHeader.size(payload: payload.count)
        let count = offset + payload.count
        let block = create(minimumCapacity: MemoryLayout<CompressedForm>.stride + count) { _ in count }
        let storage = unsafeDowncast(block, to: FrameStorage.self)
        // Three words precede the elements, so the reference is aligned.
        storage.withUnsafeMutablePointerToElements {
            let place = UnsafeMutableRawPointer($0).bindMemory(to: CompressedForm.self, capacity: 1)
            place.initialize(to: CompressedForm())
        }
        FrameHeader.write(opcode: opcode, compressed: compressed, payload: payload.count, to: storage.start)
        if let source = payload.baseAddress {
            (storage.start + offset).copyMemory(from: source, byteCount: payload.count)
        }
        return storage
    }

    deinit {
        compressedForm.deinitialize(count: 1)
    }

    // MARK: Compressed form

    /// Stands for "compressing does not make it smaller".
    nonisolated(unsafe) private static let incompressible = FrameStorage.encode(
        .binary, UnsafeRawBufferPointer(start: nil, count: 0))

    /// The compressed form, made by `compress` if there is none yet; the frame itself when `compress` answers nil.
    ///
    /// A thread that comes while another one compresses waits, which takes no longer than compressing again.
    func compressed(_ compress: () -> FrameStorage?) -> FrameStorage {
        if let known = compressedForm.pointee.load() { return resolve(known) }
        SharedLock.of(self).mutex.withLock { _ in
            guard compressedForm.pointee.load() == nil else { return }
            _ = compressedForm.pointee.storeIfNil(compress() ?? Self.incompressible)
        }
        return resolve(compressedForm.pointee.load()!)
    }

    private func resolve(_ form: FrameStorage) -> FrameStorage {
        form === Self.incompressible ? self : form
    }
}

/// One of the locks that all frames of the process share. A lock in each frame would cost memory in every frame, and most
/// need none.
private final class SharedLock: Sendable {
    let mutex = Mutex(())

    private static let all = (0..<64).map { _ in SharedLock() }

    static func of(_ storage: FrameStorage) -> SharedLock {
        // Blocks of memory begin at multiples of 16.
        all[Int(bitPattern: ObjectIdentifier(storage)) >> 4 & 63]
    }
}

// The one block of memory behind a frame: how many bytes there are, the place for a reference to its compressed twin,
// then header and payload as they go on the wire.
// Read next: FrameStorage+Twin.swift.

import Synchronization

/// The bytes of a `Frame`, which alone can reach them.
final class FrameStorage: ManagedBuffer<Int, UInt8> {
    typealias Twin = AtomicLazyReference<FrameStorage>

    /// The bytes on the wire.
    var count: Int { header }

    /// How many of them are the header, as `FrameHeader.size(payload:)` has it.
    var payloadOffset: Int {
        let count = count
        return count <= 2 + 125 ? 2 : count <= 4 + 0xFFFF ? 4 : 10
    }

    /// The first byte on the wire.
    var start: UnsafeMutableRawPointer { UnsafeMutableRawPointer(twin + 1) }

    /// The same message compressed, once somebody has asked for it.
    var twin: UnsafeMutablePointer<Twin> {
        withUnsafeMutablePointerToElements { UnsafeMutableRawPointer($0).assumingMemoryBound(to: Twin.self) }
    }

    static func encode(_ opcode: Opcode, compressed: Bool = false, _ payload: UnsafeRawBufferPointer) -> FrameStorage {
        let offset = FrameHeader.size(payload: payload.count)
        let count = offset + payload.count
        let block = create(minimumCapacity: MemoryLayout<Twin>.stride + count) { _ in count }
        let storage = unsafeDowncast(block, to: FrameStorage.self)
        // What precedes the elements are three words, so the reference is as aligned as it must be.
        storage.withUnsafeMutablePointerToElements {
            UnsafeMutableRawPointer($0).bindMemory(to: Twin.self, capacity: 1).initialize(to: Twin())
        }
        FrameHeader.write(opcode: opcode, compressed: compressed, payload: payload.count, to: storage.start)
        if let source = payload.baseAddress {
            (storage.start + offset).copyMemory(from: source, byteCount: payload.count)
        }
        return storage
    }

    deinit {
        twin.deinitialize(count: 1)
    }
}

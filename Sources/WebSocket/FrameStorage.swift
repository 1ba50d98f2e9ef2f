// The one block of memory behind a frame: its extent, then header and payload as they go on the wire.

/// The bytes of a `Frame`, which alone can reach them.
final class FrameStorage: ManagedBuffer<FrameStorage.Extent, UInt8> {
    /// How many bytes there are, and how many of them are the header.
    struct Extent: Sendable {
        let count: Int
        let payloadOffset: Int
    }

    static func encode(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer) -> FrameStorage {
        let offset = FrameHeader.size(payload: payload.count)
        let extent = Extent(count: offset + payload.count, payloadOffset: offset)
        let storage = create(minimumCapacity: extent.count) { _ in extent }
        storage.withUnsafeMutablePointerToElements { bytes in
            let start = UnsafeMutableRawPointer(bytes)
            FrameHeader.write(opcode: opcode, payload: payload.count, to: start)
            if let source = payload.baseAddress {
                (start + offset).copyMemory(from: source, byteCount: payload.count)
            }
        }
        return unsafeDowncast(storage, to: FrameStorage.self)
    }
}

// The one block of memory behind a frame: the number of bytes, references to the compressed form of the same message and to its
// forms in client protocols, then header and payload as they go on the wire. The first thread that needs a form makes it, and
// every other thread shares it, so a publication is encoded and compressed once for all its subscribers on all workers.
// Allocates: one block for a frame, and one for its compressed form when a connection needs it.
// Read next: FrameForms.swift.

import Synchronization

/// The bytes of a `Frame`, and the ways to its other forms.
final class FrameStorage: ManagedBuffer<Int, UInt8> {
    /// The same message in other forms, as far as a connection has needed them.
    private struct Forms: ~Copyable {
        let compressed = AtomicLazyReference<FrameStorage>()
        /// The first of those in client protocols.
        let encoded = AtomicLazyReference<EncodedForm>()
    }

    /// The bytes on the wire.
    var count: Int { header }

    /// The size of the header, as `FrameHeader.size(payload:)` has it.
    var payloadOffset: Int {
        let count = count
        return count <= 2 + 125 ? 2 : count <= 4 + 0xFFFF ? 4 : 10
    }

    /// The first byte on the wire.
    var start: UnsafeMutableRawPointer { UnsafeMutableRawPointer(forms + 1) }

    private var forms: UnsafeMutablePointer<Forms> {
        withUnsafeMutablePointerToElements { UnsafeMutableRawPointer($0).assumingMemoryBound(to: Forms.self) }
    }

    static func encode(_ opcode: Opcode, compressed: Bool = false, _ payload: UnsafeRawBufferPointer) -> FrameStorage {
        let offset = FrameHeader.size(payload: payload.count)
        let count = offset + payload.count
        let block = create(minimumCapacity: MemoryLayout<Forms>.stride + count) { _ in count }
        let storage = unsafeDowncast(block, to: FrameStorage.self)
        // Three words precede the elements, so the references are aligned.
        storage.withUnsafeMutablePointerToElements {
            let place = UnsafeMutableRawPointer($0).bindMemory(to: Forms.self, capacity: 1)
            place.initialize(to: Forms())
        }
        FrameHeader.write(opcode: opcode, compressed: compressed, payload: payload.count, to: storage.start)
        if let source = payload.baseAddress {
            (storage.start + offset).copyMemory(from: source, byteCount: payload.count)
        }
        return storage
    }

    deinit {
        forms.deinitialize(count: 1)
    }

    // MARK: Compressed form

    /// Stands for "compressing does not make it smaller".
    nonisolated(unsafe) private static let incompressible = FrameStorage.encode(
        .binary, UnsafeRawBufferPointer(start: nil, count: 0))

    /// The compressed form, made by `compress` if there is none yet; the frame itself when `compress` answers nil.
    ///
    /// A thread that comes while another one compresses waits, which takes no longer than compressing again.
    func compressed(_ compress: () -> FrameStorage?) -> FrameStorage {
        if let known = forms.pointee.compressed.load() { return resolve(known) }
        SharedLock.of(self).mutex.withLock { _ in
            guard forms.pointee.compressed.load() == nil else { return }
            _ = forms.pointee.compressed.storeIfNil(compress() ?? Self.incompressible)
        }
        return resolve(forms.pointee.compressed.load()!)
    }

    private func resolve(_ form: FrameStorage) -> FrameStorage {
        form === Self.incompressible ? self : form
    }

    // MARK: Forms of client protocols

    /// The message in a form, made by `encode` if no connection has needed it yet; nil where the form cannot carry it.
    func encoded(in form: WireForm, _ encode: () -> FrameStorage?) -> FrameStorage? {
        if let known = known(form) { return known.storage }
        SharedLock.of(self).mutex.withLock { _ in
            if known(form) == nil { add(EncodedForm(form, encode())) }
        }
        return known(form)!.storage
    }

    private func known(_ form: WireForm) -> EncodedForm? {
        var entry = forms.pointee.encoded.load()
        while let known = entry, known.form != form { entry = known.next.load() }
        return entry
    }

    /// Adds a form behind the others. The caller holds the lock.
    private func add(_ entry: EncodedForm) {
        guard var last = forms.pointee.encoded.load() else {
            _ = forms.pointee.encoded.storeIfNil(entry)
            return
        }
        while let next = last.next.load() { last = next }
        _ = last.next.storeIfNil(entry)
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

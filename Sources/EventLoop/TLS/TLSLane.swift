// The two buffers that all TLS connections of a loop share: encrypted bytes arrive in one, and gather in the other on
// their way out. OpenSSL reads and writes here, through a BIO that never touches a descriptor. So an idle connection
// owns no buffer of ours, several writes of OpenSSL leave in one system call, and no write of OpenSSL ever has to wait.
//
// Runs on: its loop's thread.
// Allocates: once; the output grows for a peer with an unusually large handshake.

import COpenSSL

/// One loop's encrypted bytes, in and out.
final class TLSLane {
    /// Encrypted bytes that are read at once.
    static let inputCapacity = 128 << 10
    private static let usualOutput = 72 << 10

    /// The buffer into which the socket receives.
    let input: UnsafeMutableRawBufferPointer = .allocate(byteCount: TLSLane.inputCapacity, alignment: 64)
    /// The bytes that OpenSSL has not taken yet.
    private var rest = UnsafeRawBufferPointer(start: nil, count: 0)
    private var output: UnsafeMutableRawBufferPointer = .allocate(byteCount: TLSLane.usualOutput, alignment: 64)
    private var outputCount = 0
    /// The BIO of the session that has written the bytes in `output`: they go to that session's peer only.
    private var writer: OpaquePointer?

    deinit {
        input.deallocate()
        output.deallocate()
    }

    /// Bytes that OpenSSL has written since the last `clear`.
    var writtenCount: Int { outputCount }

    /// The bytes that OpenSSL has written for a session since the last `clear`; none if they were for another session.
    func written(by bio: OpaquePointer) -> UnsafeRawBufferPointer {
        guard outputCount > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        assert(writer == bio, "encrypted bytes of another session")
        return UnsafeRawBufferPointer(rebasing: output[..<(writer == bio ? outputCount : 0)])
    }

    func clear() { outputCount = 0 }

    /// Drops the rest of the input.
    func dropInput() { rest = UnsafeRawBufferPointer(start: nil, count: 0) }

    /// Lets OpenSSL read the first `count` bytes of `input`, all of which it takes before `body` is done.
    func withInput<Result>(_ count: Int, _ body: () -> Result) -> Result {
        rest = UnsafeRawBufferPointer(rebasing: input[..<count])
        defer { rest = UnsafeRawBufferPointer(start: nil, count: 0) }
        return body()
    }

    /// A BIO that reads and writes here; `SSL_set_bio` takes it over.
    func makeBIO() -> OpaquePointer? {
        guard let bio = BIO_new(Self.method) else { return nil }
        BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        BIO_set_init(bio, 1)
        return bio
    }

    fileprivate func read(into buffer: UnsafeMutableRawPointer, _ capacity: Int) -> Int {
        let count = min(capacity, rest.count)
        if count > 0 { buffer.copyMemory(from: rest.baseAddress!, byteCount: count) }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        return count
    }

    /// False when another session's bytes have not left yet.
    fileprivate func write(_ bytes: UnsafeRawBufferPointer, by bio: OpaquePointer) -> Bool {
        if outputCount == 0 { writer = bio }
        assert(writer == bio, "encrypted bytes of another session")
        guard writer == bio else { return false }
        if outputCount + bytes.count > output.count {
            let larger = UnsafeMutableRawBufferPointer.allocate(
                byteCount: 2 * (outputCount + bytes.count), alignment: 64)
            larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: output[..<outputCount]))
            output.deallocate()
            output = larger
        }
        (output.baseAddress! + outputCount).copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
        outputCount += bytes.count
        return true
    }

    /// Immutable once it is made.
    nonisolated(unsafe) private static let method: OpaquePointer? = {
        let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "perigee")
        BIO_meth_set_read(method) { bio, buffer, capacity in
            guard let bio, let buffer, let lane = TLSLane.of(bio) else { return -1 }
            perigee_clear_retry(bio)
            let count = lane.read(into: buffer, Int(capacity))
            if count == 0 { perigee_retry_read(bio) }
            return count == 0 ? -1 : Int32(count)
        }
        BIO_meth_set_write(method) { bio, bytes, count in
            guard let bio, let bytes, let lane = TLSLane.of(bio) else { return -1 }
            perigee_clear_retry(bio)
            return lane.write(UnsafeRawBufferPointer(start: bytes, count: Int(count)), by: bio) ? count : -1
        }
        BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
        return method
    }()

    private static func of(_ bio: OpaquePointer) -> TLSLane? {
        BIO_get_data(bio).map { Unmanaged<TLSLane>.fromOpaque($0).takeUnretainedValue() }
    }
}

// One connection's TLS: encrypted bytes in, plain bytes out, and the other way. OpenSSL does no I/O here. Its output
// goes to the kernel at once, and bytes that the kernel refuses wait in the session. So to its socket a session is like
// a kernel with a larger buffer: it takes bytes or it does not, and it never asks again for bytes that it has taken.
// OpenSSL's rules about repeated writes never apply.
//
// Runs on: its socket's thread.
// Allocates: OpenSSL's state at the start; records while they are on their way; a buffer while the kernel refuses
// bytes.
// Read next: Socket+TLS.swift

import CLinux
import COpenSSL
import Glibc

/// The TLS state of a connection.
final class TLSSession {
    /// How the input ended, if it did.
    enum End: Equatable {
        /// It goes on.
        case open
        /// The peer has sent close_notify.
        case closed
        /// The peer breaks the rules of TLS; an alert for it is written.
        case failed(String)
        /// The peer wants a new handshake, which is never granted; an alert for it is written.
        case renegotiation
    }

    /// Plain bytes that are encrypted before the kernel is asked: four full records.
    private static let batch = 64 << 10
    /// The most encrypted bytes that may wait: those of one `batch`, and as many again for answers that the peer
    /// provokes.
    private static let waitingLimit = 256 << 10
    /// The most encrypted bytes that OpenSSL may write by itself during a single read after the handshake: answers to
    /// key updates.
    private static let replyLimit = 4 << 10

    /// Kept, because OpenSSL calls it back until the handshake is done.
    private let context: TLSContext
    private let ssl: OpaquePointer
    /// The BIO to which OpenSSL writes; it belongs to `ssl`.
    private let bio: OpaquePointer
    private unowned(unsafe) let lane: TLSLane
    /// Encrypted bytes that the kernel has refused.
    private var waiting: ArraySlice<UInt8> = []
    private(set) var isClosed = false
    /// Whether the peer is gone.
    private var dropsOutput = false
    private var wasAskedToRenegotiate = false

    /// nil when there is no memory for it.
    init?(_ context: TLSContext, lane: TLSLane) {
        guard let ssl = SSL_new(context.contexts[0]) else { return nil }
        guard let bio = lane.makeBIO() else {
            SSL_free(ssl)
            return nil
        }
        SSL_set_bio(ssl, bio, bio)
        SSL_set_accept_state(ssl)
        self.context = context
        self.ssl = ssl
        self.bio = bio
        self.lane = lane
        SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit { SSL_free(ssl) }

    /// Whether the handshake is done.
    var isEstablished: Bool { SSL_is_init_finished(ssl) == 1 }

    /// Whether the handshake continued an earlier session.
    var isResumed: Bool { SSL_session_reused(ssl) == 1 }

    /// Whether the kernel has taken all of the output.
    var isDrained: Bool { waiting.isEmpty }

    /// The subject of the client's certificate as RFC 2253 text; nil when it has shown none.
    var peerSubject: String? {
        guard let certificate = SSL_get0_peer_certificate(ssl), let memory = BIO_new(BIO_s_mem()) else { return nil }
        defer { BIO_free(memory) }
        guard perigee_write_subject(memory, certificate) else { return nil }
        var bytes: UnsafePointer<CChar>?
        let count = perigee_memory(memory, &bytes)
        return String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    // MARK: In

    /// Decrypts the first `count` bytes of the lane's input, or keeps an incomplete record. Plain bytes are never more
    /// than the encrypted ones, so a buffer larger than the lane's input and one record holds all of them.
    func decrypt(_ count: Int, into buffer: UnsafeMutableRawBufferPointer) -> (count: Int, end: End) {
        ERR_clear_error()
        let wasEstablished = isEstablished
        return lane.withInput(count) {
            var filled = 0
            while true {
                let result = SSL_read(ssl, buffer.baseAddress! + filled, Int32(buffer.count - filled))
                if wasAskedToRenegotiate { return (filled + max(0, Int(result)), .renegotiation) }
                if wasEstablished && lane.writtenCount > Self.replyLimit {
                    return (filled + max(0, Int(result)), .failed("the peer asks for more answers than for data"))
                }
                if result > 0 {
                    filled += Int(result)
                    continue
                }
                switch SSL_get_error(ssl, result) {
                case SSL_ERROR_WANT_READ: return (filled, .open)
                case SSL_ERROR_ZERO_RETURN: return (filled, .closed)
                default: return (filled, .failed(TLSError.takeReason()))
                }
            }
        }
    }

    /// Called by OpenSSL while it reads. OpenSSL answers each such request with an alert, so it gets no more to read.
    fileprivate func peerAsksToRenegotiate() {
        wasAskedToRenegotiate = true
        lane.dropInput()
    }

    /// OpenSSL calls this for each alert that it writes.
    static let noteAlert: @convention(c) (OpaquePointer?, Int32, Int32) -> Void = { ssl, place, alert in
        guard place & SSL_CB_ALERT != 0, place & SSL_CB_WRITE != 0, alert & 0xFF == SSL_AD_NO_RENEGOTIATION,
            let ssl, let session = SSL_get_ex_data(ssl, 0)
        else { return }
        Unmanaged<TLSSession>.fromOpaque(session).takeUnretainedValue().peerAsksToRenegotiate()
    }

    // MARK: Out

    /// Encrypts and sends. Returns the number of bytes taken, 0 when the kernel has no room, negative when the
    /// connection is broken.
    func send(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int {
        let waited = flush(to: descriptor)
        guard waited >= 0 else { return waited }
        var taken = 0
        while taken < bytes.count, isDrained {
            let count = min(bytes.count - taken, Self.batch)
            guard SSL_write(ssl, bytes.baseAddress! + taken, Int32(count)) == Int32(count) else {
                ERR_clear_error()
                lane.clear()
                return -Int(EPROTO)
            }
            taken += count
            let sent = flush(to: descriptor)
            guard sent >= 0 else { return sent }
        }
        return taken
    }

    /// Writes our close_notify, once.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        if SSL_shutdown(ssl) < 0 { ERR_clear_error() }
    }

    /// The peer is gone: waiting bytes are dropped, and so are those that OpenSSL still writes.
    func dropOutput() {
        dropsOutput = true
        waiting = []
    }

    /// Hands the kernel the waiting bytes and then OpenSSL's new output. Returns the number of encrypted bytes taken,
    /// negative when the connection is broken, or when the peer provokes more output than it reads.
    func flush(to descriptor: Int32) -> Int {
        defer { lane.clear() }
        guard !dropsOutput else { return 0 }
        let written = lane.written(by: bio)
        var sent = 0
        if !waiting.isEmpty {
            waiting += written
            sent = waiting.withUnsafeBytes { SystemWrite.send($0, to: descriptor) }
            if sent > 0 { waiting = sent == waiting.count ? [] : waiting.dropFirst(sent) }
        } else if !written.isEmpty {
            sent = SystemWrite.send(written, to: descriptor)
            if sent >= 0 && sent < written.count { waiting = Array(written[sent...])[...] }
        }
        return waiting.count <= Self.waitingLimit ? sent : -Int(ENOBUFS)
    }
}

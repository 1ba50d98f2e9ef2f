// A socket that speaks TLS. A session stands between the kernel and the subclass, and neither of them notices it.
//
// One read of encrypted bytes is decrypted and handed over at once, like one read of plain bytes. So OpenSSL never
// holds bytes that epoll does not know of, and pausing works as it does without TLS.

import CLinux
import Glibc

extension Socket {
    /// Speaks TLS from here on, as the server; a preamble that is expected comes before it, in plain text. Until the
    /// handshake is done, nothing is received and writes have no effect; the subclass sets the deadline.
    public final func startTLS(_ context: TLSContext) {
        guard let session = TLSSession(context, lane: loop.lane) else { return abort() }
        tls = session
        flags.insert(.securing)
    }

    /// Whether the connection is encrypted.
    public final var isSecure: Bool { tls != nil }

    /// Whether the TLS handshake continued an earlier session.
    public final var isResumed: Bool { tls?.isResumed ?? false }

    /// The subject of the client's certificate as RFC 2253 text, such as `CN=ada,O=Example`; nil when it has shown
    /// none.
    public final var certificateSubject: String? { tls?.peerSubject }

    // MARK: In

    final func receive(through session: TLSSession) {
        let limit = min(loop.lane.input.count, loop.receiveLimit)
        let count = clinux_receive(descriptor, loop.lane.input.baseAddress!, limit)
        if count > 0 {
            guard flags.isDisjoint(with: [.finishing, .lingering]) else { return swallow(count) }
            receive(count, through: session)
        } else if count == 0 && flags.contains(.finishing) {
            endOfInput()
        } else if count == 0 {
            // The end came without a close_notify, so anybody may have caused it (RFC 8446, section 6.1).
            abort()
        } else if count != -Int(EAGAIN) && count != -Int(EINTR) {
            abort()
        }
    }

    /// Encrypted bytes that came with the end of a preamble.
    final func receive(_ bytes: UnsafeRawBufferPointer, through session: TLSSession) {
        var rest = bytes[...]
        while !rest.isEmpty, flags.isDisjoint(with: [.closing, .finishing]) {
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(loop.lane.input.count))
            loop.lane.input.copyMemory(from: piece)
            rest = rest.dropFirst(piece.count)
            receive(piece.count, through: session)
        }
    }

    private func receive(_ count: Int, through session: TLSSession) {
        let (plain, end) = session.decrypt(count, into: loop.receiveBuffer)
        let sent = session.flush(to: descriptor)
        if sent < 0 { writeFailed(sent, isReading: plain > 0) }
        guard !flags.contains(.closing) else { return }
        if !session.isDrained { block(hasProgressed: false) }
        if flags.contains(.securing), session.isEstablished {
            flags.remove(.securing)
            secured()
        }
        if plain > 0, flags.isDisjoint(with: [.finishing, .closing]) {
            received(UnsafeMutableRawBufferPointer(rebasing: loop.receiveBuffer[..<plain]))
        }
        switch end {
        case .open: if flags.contains(.mute) { abortIfAllIsRead() }
        case .closed: hearGoodbye()
        case .failed(let reason): fail(reason)
        case .renegotiation:
            guard !flags.contains(.closing) else { return }
            renegotiationRefused()
            abort()
        }
    }

    /// The peer has sent close_notify. While reading is paused, the subclass may still hold bytes that came before it.
    final func hearGoodbye() {
        guard !flags.contains(.closing) else { return }
        if flags.contains(.paused) {
            flags.insert(.goodbye)
        } else {
            flags.remove(.goodbye)
            endOfInput()
        }
    }

    /// The alert is written. During a handshake only the peer is told, and it must have time to read the alert.
    private func fail(_ reason: String) {
        guard flags.isDisjoint(with: [.closing, .finishing]) else { return }
        guard flags.contains(.securing) else { return abort() }
        handshakeFailed(reason)
        if tls?.isDrained == true { linger() } else { abort() }
    }

    // MARK: Out

    /// Sends once, encrypted if the connection is. Returns the number of bytes taken, negative when the connection is
    /// broken.
    final func transmit(_ bytes: UnsafeRawBufferPointer) -> Int {
        if let tls { tls.send(bytes, to: descriptor) } else { SystemWrite.send(bytes, to: descriptor) }
    }

    /// Sends close_notify; false while it waits for the kernel, or when the connection is broken.
    final func closeTLS() -> Bool {
        guard let tls else { return true }
        tls.close()
        guard tls.flush(to: descriptor) >= 0 else {
            abort()
            return false
        }
        if !tls.isDrained { block(hasProgressed: true) }
        return tls.isDrained
    }
}

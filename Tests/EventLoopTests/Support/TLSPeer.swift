// The client's end of a TLS connection, driven by hand: its bytes are made here and written by the test, in any pieces.

import COpenSSL
import EventLoop
import Glibc

/// A TLS client over a peer's descriptor.
final class TLSPeer {
    let peer: Peer
    private let ssl: OpaquePointer
    private let input = BIO_new(BIO_s_mem())!
    private let output = BIO_new(BIO_s_mem())!
    private(set) var hasEnded = false
    private(set) var hasFailed = false

    /// - Parameter maxVersion: the newest version of TLS that it speaks; nil for the newest there is.
    init(_ peer: Peer, maxVersion: Int32? = nil) {
        self.peer = peer
        let context = SSL_CTX_new(TLS_client_method())
        if let maxVersion { precondition(perigee_context_set_max_version(context!, maxVersion)) }
        ssl = SSL_new(context)!
        SSL_CTX_free(context)
        perigee_memory_waits(input)
        SSL_set_bio(ssl, input, output)
        SSL_set_connect_state(ssl)
    }

    deinit { SSL_free(ssl) }

    var isEstablished: Bool { SSL_is_init_finished(ssl) == 1 }

    /// Feeds the bytes that have arrived and takes the next step of the handshake; returns the bytes to send.
    func step(atMost limit: Int = 1 << 20) -> [UInt8] {
        receive(atMost: limit)
        if SSL_do_handshake(ssl) != 1 { ERR_clear_error() }
        return takeOutput()
    }

    func encrypt(_ bytes: [UInt8]) -> [UInt8] {
        precondition(SSL_write(ssl, bytes, Int32(bytes.count)) == Int32(bytes.count))
        return takeOutput()
    }

    /// The session's message besides data: close_notify.
    func end() -> [UInt8] {
        SSL_shutdown(ssl)
        return takeOutput()
    }

    /// Asks the server to change its keys, with an answer.
    func keyUpdate() -> [UInt8] {
        precondition(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) == 1 && SSL_do_handshake(ssl) == 1)
        return takeOutput()
    }

    /// Asks the server to begin a new handshake, which exists only in TLS 1.2.
    func renegotiation() -> [UInt8] {
        precondition(SSL_renegotiate(ssl) == 1)
        if SSL_do_handshake(ssl) != 1 { ERR_clear_error() }
        return takeOutput()
    }

    /// Takes encrypted bytes that did not come through the descriptor.
    func feed(_ bytes: UnsafeRawBufferPointer) {
        precondition(BIO_write(input, bytes.baseAddress, Int32(bytes.count)) == Int32(bytes.count))
    }

    /// Takes the next step of the handshake with the bytes that were fed; returns the bytes to send.
    func stepFed() -> [UInt8] {
        if SSL_do_handshake(ssl) != 1 { ERR_clear_error() }
        return takeOutput()
    }

    /// Decrypts the bytes that were fed.
    func readFed(_ body: (UnsafeRawBufferPointer) -> Void) {
        withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 8) { chunk in
            while true {
                let count = SSL_read(ssl, chunk.baseAddress, Int32(chunk.count))
                if count > 0 {
                    body(UnsafeRawBufferPointer(rebasing: chunk[..<Int(count)]))
                    continue
                }
                switch SSL_get_error(ssl, count) {
                case SSL_ERROR_WANT_READ: break
                case SSL_ERROR_ZERO_RETURN: hasEnded = true
                default: hasFailed = true
                }
                ERR_clear_error()
                return
            }
        }
    }

    /// Decrypts the bytes that have arrived, at most `limit` encrypted ones.
    func read(atMost limit: Int = 1 << 20) -> [UInt8] {
        receive(atMost: limit)
        var plain: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = SSL_read(ssl, &chunk, Int32(chunk.count))
            if count > 0 {
                plain += chunk[..<Int(count)]
                continue
            }
            switch SSL_get_error(ssl, count) {
            case SSL_ERROR_WANT_READ: break
            case SSL_ERROR_ZERO_RETURN: hasEnded = true
            default: hasFailed = true
            }
            ERR_clear_error()
            return plain
        }
    }

    private func receive(atMost limit: Int) {
        guard let bytes = peer.read(atMost: limit), !bytes.isEmpty else { return }
        BIO_write(input, bytes, Int32(bytes.count))
    }

    private func takeOutput() -> [UInt8] {
        var bytes: UnsafePointer<CChar>?
        let count = perigee_memory(output, &bytes)
        defer { BIO_ctrl(output, BIO_CTRL_RESET, 0, nil) }
        return Array(UnsafeRawBufferPointer(start: bytes, count: count))
    }
}

// The client's end of TLS, without a socket: encrypted bytes are fed in and taken out, so that the test's own calls decide what
// travels, and when.
//
// Runs on: any thread, one at a time.
// Read next: ../RawSocket+TLS.swift

import COpenSSL

/// A TLS client session.
public final class TLSClient {
    private let ssl: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer
    /// Whether the server has said goodbye (close_notify).
    public private(set) var hasEnded = false

    init(_ options: TLSOptions) throws(ClientError) {
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw Self.failure("a context") }
        defer { SSL_CTX_free(context) }
        try Self.prepare(context, options)
        guard let ssl = SSL_new(context) else { throw Self.failure("a session") }
        self.ssl = ssl
        input = BIO_new(BIO_s_mem())!
        output = BIO_new(BIO_s_mem())!
        perigee_memory_waits(input)
        SSL_set_bio(ssl, input, output)
        SSL_set_connect_state(ssl)
        if let name = options.serverName {
            _ = perigee_set_server_name(ssl, name)
            if options.authority != nil { SSL_set1_host(ssl, name) }
        }
        if let session = options.session { SSL_set_session(ssl, session.session) }
    }

    deinit { SSL_free(ssl) }

    private static func prepare(_ context: OpaquePointer, _ options: TLSOptions) throws(ClientError) {
        if let version = options.version {
            // What is too old for OpenSSL's usual level of security is for a server to refuse.
            SSL_CTX_set_security_level(context, 0)
            _ = perigee_context_set_min_version(context, version.rawValue)
            _ = perigee_context_set_max_version(context, version.rawValue)
        }
        if let authority = options.authority {
            guard SSL_CTX_load_verify_file(context, authority) == 1 else { throw failure(authority) }
            SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        }
        if let identity = options.identity {
            guard SSL_CTX_use_certificate_chain_file(context, identity.certificate) == 1,
                SSL_CTX_use_PrivateKey_file(context, identity.key, SSL_FILETYPE_PEM) == 1
            else { throw failure(identity.certificate) }
        }
        let protocols = options.protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        if !protocols.isEmpty { SSL_CTX_set_alpn_protos(context, protocols, UInt32(protocols.count)) }
    }

    // MARK: Looking

    /// Whether the handshake continued the session of the options.
    public var isResumed: Bool { SSL_session_reused(ssl) == 1 }

    /// As OpenSSL writes it: `TLSv1.3`.
    public var version: String { String(cString: SSL_get_version(ssl)) }

    /// The application protocol that the server chose, nil when it chose none.
    public var chosenProtocol: String? {
        var bytes: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &bytes, &count)
        return bytes.map { String(decoding: UnsafeBufferPointer(start: $0, count: Int(count)), as: UTF8.self) }
    }

    /// The subject of the server's certificate as RFC 2253 text.
    public var serverSubject: String? {
        guard let certificate = SSL_get0_peer_certificate(ssl), let memory = BIO_new(BIO_s_mem()) else { return nil }
        defer { BIO_free(memory) }
        _ = perigee_write_subject(memory, certificate)
        return String(decoding: Self.content(of: memory), as: UTF8.self)
    }

    /// The session as it is now. The server's ticket has come when the client has read something behind the handshake.
    public var ticket: TLSTicket? { SSL_get1_session(ssl).map(TLSTicket.init) }

    // MARK: Bytes

    /// Goes on with the handshake; true when it is done.
    func handshake() throws(ClientError) -> Bool {
        ERR_clear_error()
        let result = SSL_do_handshake(ssl)
        if result == 1 { return true }
        guard SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ else { throw Self.failure("the handshake") }
        return false
    }

    /// What is to be sent.
    func takeOutput() -> [UInt8] {
        let bytes = Self.content(of: output)
        BIO_ctrl(output, BIO_CTRL_RESET, 0, nil)
        return bytes
    }

    /// What has arrived.
    func feed(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBytes { _ = BIO_write(input, $0.baseAddress, Int32($0.count)) }
    }

    func encrypt(_ bytes: [UInt8]) throws(ClientError) {
        guard !bytes.isEmpty else { return }
        ERR_clear_error()
        guard SSL_write(ssl, bytes, Int32(bytes.count)) == Int32(bytes.count) else { throw Self.failure("writing") }
    }

    /// Begins the handshake anew, as TLS 1.2 lets a client ask for.
    func renegotiate() throws(ClientError) {
        ERR_clear_error()
        guard SSL_renegotiate(ssl) == 1 else { throw Self.failure("the renegotiation") }
        _ = try handshake()
    }

    /// All plain bytes of what was fed.
    func decrypt() throws(ClientError) -> [UInt8] {
        ERR_clear_error()
        var plain: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let result = SSL_read(ssl, &chunk, Int32(chunk.count))
            if result > 0 {
                plain += chunk[..<Int(result)]
                continue
            }
            switch SSL_get_error(ssl, result) {
            case SSL_ERROR_WANT_READ: return plain
            case SSL_ERROR_ZERO_RETURN:
                hasEnded = true
                return plain
            default:
                guard plain.isEmpty else { return plain }
                throw Self.failure("reading")
            }
        }
    }

    /// Says goodbye (close_notify).
    func end() {
        if SSL_shutdown(ssl) < 0 { ERR_clear_error() }
    }

    private static func content(of memory: OpaquePointer) -> [UInt8] {
        var bytes: UnsafePointer<CChar>?
        let count = perigee_memory(memory, &bytes)
        return Array(UnsafeRawBufferPointer(start: bytes, count: count))
    }

    private static func failure(_ what: String) -> ClientError {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        return .tls(ERR_reason_error_string(code).map { String(cString: $0) } ?? "\(what) failed")
    }
}

// TLSClient: the client's end of TLS, without a socket. Encrypted bytes are fed in and taken out, so that the test decides what
// is sent, and when.
//
// Runs on: any thread, one at a time.
// Read next: RawSocket+TLS.swift.

import COpenSSL

/// The offers of a TLS client, its trust and its certificate.
public struct TLSOptions: Sendable {
    /// A version of the protocol.
    public enum Version: Int32, Sendable {
        case tls11 = 0x0302
        case tls12 = 0x0303
        case tls13 = 0x0304
    }

    /// The server name to request, which the server's certificate must then contain; nil requests none.
    public var serverName: String?
    /// The PEM file of trusted authorities; nil trusts every server.
    public var authority: String?
    /// The PEM files of the client's certificate and its key.
    public var identity: TestCertificate?
    /// The application protocols that are offered (ALPN).
    public var protocols: [String] = []
    /// The only version to speak; nil for the newest of both sides.
    public var version: Version?
    /// An earlier session to continue.
    public var session: TLSTicket?

    public init(
        serverName: String? = nil, authority: String? = nil, identity: TestCertificate? = nil, protocols: [String] = [],
        version: Version? = nil, session: TLSTicket? = nil
    ) {
        self.serverName = serverName
        self.authority = authority
        self.identity = identity
        self.protocols = protocols
        self.version = version
        self.session = session
    }
}

/// Whether a connection of a test is encrypted.
public enum Security: Sendable {
    /// As the server of that port does, where `withServer` started it; otherwise plain.
    case asServed
    case plain
    case tls(TLSOptions)
}

/// An earlier session, which a client may resume. Unchecked: OpenSSL counts its references atomically, and nothing changes it.
public final class TLSTicket: @unchecked Sendable {
    let session: OpaquePointer

    init(_ session: OpaquePointer) { self.session = session }

    deinit { SSL_SESSION_free(session) }
}

/// A TLS client session.
public final class TLSClient {
    private let ssl: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer
    /// Whether the server has ended the session (close_notify).
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
            // OpenSSL's default level of security would refuse old versions here; the server is to refuse them.
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

    // MARK: Properties

    /// Whether the handshake resumed the session of the options.
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

    /// The session as it is now. The server's ticket is part of it once the client has read something after the handshake.
    public var ticket: TLSTicket? { SSL_get1_session(ssl).map(TLSTicket.init) }

    // MARK: Bytes

    /// Continues the handshake; true when it is done.
    func handshake() throws(ClientError) -> Bool {
        ERR_clear_error()
        let result = SSL_do_handshake(ssl)
        if result == 1 { return true }
        guard SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ else { throw Self.failure("the handshake") }
        return false
    }

    /// Takes the bytes to send.
    func takeOutput() -> [UInt8] {
        let bytes = Self.content(of: output)
        BIO_ctrl(output, BIO_CTRL_RESET, 0, nil)
        return bytes
    }

    /// Feeds bytes that have arrived.
    func feed(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBytes { _ = BIO_write(input, $0.baseAddress, Int32($0.count)) }
    }

    func encrypt(_ bytes: [UInt8]) throws(ClientError) {
        guard !bytes.isEmpty else { return }
        ERR_clear_error()
        guard SSL_write(ssl, bytes, Int32(bytes.count)) == Int32(bytes.count) else { throw Self.failure("writing") }
    }

    /// Begins a new handshake, which TLS 1.2 allows a client to request.
    func renegotiate() throws(ClientError) {
        ERR_clear_error()
        guard SSL_renegotiate(ssl) == 1 else { throw Self.failure("the renegotiation") }
        _ = try handshake()
    }

    /// The plain bytes of everything that was fed.
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

    /// Ends the session (close_notify).
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

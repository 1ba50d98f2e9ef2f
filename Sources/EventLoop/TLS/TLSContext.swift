// The TLS of a port: certificates, versions, client certificates. A context is made from files, and again when they
// change; a connection keeps the context that it began with.
//
// Runs on: made on a thread that may block, used by all.
// Allocates: when it is made.
// Read next: TLSContext+Certificates.swift, TLSSession.swift

import COpenSSL

/// Certificates and rules, ready for handshakes.
///
/// Unchecked, because the pointers are to OpenSSL's contexts: those count their references atomically, and nothing
/// changes them once `init` is done.
public final class TLSContext: @unchecked Sendable {
    /// The ciphers for TLS 1.2: forward secret and authenticated. TLS 1.3 has no others.
    private static let ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20"

    /// One for each certificate; the first is the default.
    let contexts: [OpaquePointer]
    /// The index of the certificate for each name, in lower case.
    private let hosts: [String: Int]
    /// The index of the certificate for each name `*.domain`, by the text after the first dot.
    private let wildcards: [String: Int]
    /// Problems that do not stop the server but that an operator should know: certificates that have expired.
    public let warnings: [String]
    /// All names in the certificates, in lower case.
    public let names: [String]

    /// Makes a context, or says in one sentence which file is wrong and why.
    public init(_ settings: TLSSettings, ticketKeys: TLSTicketKeys) throws(TLSError) {
        precondition(!settings.certificates.isEmpty, "TLS without a certificate")
        var contexts: [OpaquePointer] = []
        var hosts: [String: Int] = [:]
        var wildcards: [String: Int] = [:]
        var warnings: [String] = []
        var names: [String] = []
        do throws(TLSError) {
            for pair in settings.certificates {
                let context = try Self.makeContext(settings, ticketKeys)
                contexts.append(context)
                let facts = try Self.use(pair, in: context)
                if let warning = facts.warning { warnings.append(warning) }
                for name in facts.names {
                    let place = contexts.count - 1
                    if name.hasPrefix("*.") {
                        wildcards[String(name.dropFirst(2))] = wildcards[String(name.dropFirst(2))] ?? place
                    } else {
                        hosts[name] = hosts[name] ?? place
                    }
                }
                names += facts.names
            }
        } catch {
            for context in contexts { SSL_CTX_free(context) }
            throw error
        }
        self.contexts = contexts
        self.hosts = hosts
        self.wildcards = wildcards
        self.warnings = warnings
        self.names = names
        // Not retained: a session keeps its context, and outside of a session there are no callbacks.
        let this = Unmanaged.passUnretained(self).toOpaque()
        for context in contexts { perigee_context_on_server_name(context, chooseCertificate, this) }
    }

    deinit { for context in contexts { SSL_CTX_free(context) } }

    /// The certificate for a server name (RFC 6066, section 3): one that has the name, else one with a wildcard in
    /// place of the first label; nil when none matches.
    func context(forName name: String) -> OpaquePointer? {
        let name = name.lowercased()
        if let place = hosts[name] { return contexts[place] }
        guard let dot = name.firstIndex(of: "."), let place = wildcards[String(name[name.index(after: dot)...])] else {
            return nil
        }
        return contexts[place]
    }

    private static func makeContext(
        _ settings: TLSSettings, _ ticketKeys: TLSTicketKeys
    ) throws(TLSError) -> OpaquePointer {
        guard let context = SSL_CTX_new(TLS_server_method()) else { throw TLSError(TLSError.takeReason()) }
        perigee_context_prepare(context)
        let version = settings.minVersion == .tls13 ? TLS1_3_VERSION : TLS1_2_VERSION
        let isSet =
            perigee_context_set_min_version(context, version)
            && SSL_CTX_set_cipher_list(context, ciphers) == 1
            && SSL_CTX_set_num_tickets(context, 1) == 1
            && ticketKeys.bytes.withUnsafeBytes {
                perigee_context_set_ticket_keys(context, $0.baseAddress!, Int32($0.count))
            }
        SSL_CTX_set_alpn_select_cb(context, chooseProtocol, nil)
        SSL_CTX_set_info_callback(context, TLSSession.noteAlert)
        do throws(TLSError) {
            guard isSet else { throw TLSError(TLSError.takeReason()) }
            try askForCertificates(settings, context)
        } catch {
            SSL_CTX_free(context)
            throw error
        }
        return context
    }
}

/// Called in every handshake that names a server.
private func chooseCertificate(
    _ ssl: OpaquePointer?, _ alert: UnsafeMutablePointer<Int32>?, _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    guard let ssl, let argument, let name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else {
        return SSL_TLSEXT_ERR_NOACK
    }
    let context = Unmanaged<TLSContext>.fromOpaque(argument).takeUnretainedValue()
    guard let chosen = context.context(forName: String(cString: name)) else { return SSL_TLSEXT_ERR_NOACK }
    return SSL_set_SSL_CTX(ssl, chosen) == nil ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_OK
}

/// Called in every handshake in which the client offers protocols. Chooses `http/1.1`, or ends the handshake with the
/// alert no_application_protocol (RFC 7301, section 3.2).
private func chooseProtocol(
    _ ssl: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ count: UnsafeMutablePointer<UInt8>?,
    _ offered: UnsafePointer<UInt8>?, _ offeredCount: UInt32, _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    guard let chosen, let count, let offered else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    let wanted: StaticString = "http/1.1"
    var rest = UnsafeBufferPointer(start: offered, count: Int(offeredCount))[...]
    while let size = rest.first, rest.count > Int(size) {
        let name = rest.dropFirst().prefix(Int(size))
        if name.elementsEqual(UnsafeBufferPointer(start: wanted.utf8Start, count: wanted.utf8CodeUnitCount)) {
            chosen.pointee = offered + name.startIndex
            count.pointee = size
            return SSL_TLSEXT_ERR_OK
        }
        rest = rest.dropFirst(1 + Int(size))
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}

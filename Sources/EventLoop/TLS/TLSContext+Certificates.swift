// Certificates, keys and authorities from the bytes of their files, with a sentence for each way in which they can be
// wrong.

import COpenSSL

extension TLSContext {
    /// The parts of a certificate that the server itself uses.
    struct Facts {
        /// The DNS names, in lower case.
        var names: [String] = []
        var warning: String?
    }

    /// Makes the pair the context's certificate.
    static func use(_ pair: TLSSettings.Certificate, in context: OpaquePointer) throws(TLSError) -> Facts {
        let chain = try certificates(in: pair.certificate)
        defer { for certificate in chain { X509_free(certificate) } }
        let key = try key(in: pair.key)
        defer { EVP_PKEY_free(key) }
        guard X509_check_private_key(chain[0], key) == 1 else {
            ERR_clear_error()
            throw TLSError("\(pair.key.path): the key does not belong to the certificate \(pair.certificate.path)")
        }
        guard SSL_CTX_use_certificate(context, chain[0]) == 1, SSL_CTX_use_PrivateKey(context, key) == 1,
            chain.dropFirst().allSatisfy({ perigee_context_add_chain(context, $0) })
        else { throw TLSError("\(pair.certificate.path): \(TLSError.takeReason())") }
        return facts(of: chain[0], path: pair.certificate.path)
    }

    /// Sets whether clients are asked for certificates of the configured authority.
    static func askForCertificates(_ settings: TLSSettings, _ context: OpaquePointer) throws(TLSError) {
        var identity = Array("perigee \(settings.clientCertificates.rawValue) ".utf8)
        if settings.clientCertificates != .none, let authority = settings.clientCA {
            try trust(authority, context)
            identity += authority.bytes
        }
        let mode =
            switch settings.clientCertificates {
            case .none: SSL_VERIFY_NONE
            case .optional: SSL_VERIFY_PEER
            case .required: SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
            }
        SSL_CTX_set_verify(context, mode, nil)
        // A session is resumed only under the rules under which it began: its client's certificate is not looked at
        // again.
        var digest = [UInt8](repeating: 0, count: 32)
        guard perigee_sha256(identity, identity.count, &digest),
            SSL_CTX_set_session_id_context(context, digest, UInt32(digest.count)) == 1
        else { throw TLSError(TLSError.takeReason()) }
    }

    private static func trust(_ authority: TLSFile, _ context: OpaquePointer) throws(TLSError) {
        let certificates = try certificates(in: authority)
        defer { for certificate in certificates { X509_free(certificate) } }
        let store = SSL_CTX_get_cert_store(context)
        for certificate in certificates {
            guard X509_STORE_add_cert(store, certificate) == 1, SSL_CTX_add_client_CA(context, certificate) == 1 else {
                throw TLSError("\(authority.path): \(TLSError.takeReason())")
            }
        }
    }

    /// The certificates of a file, at least one; the caller frees them.
    private static func certificates(in file: TLSFile) throws(TLSError) -> [OpaquePointer] {
        let input = BIO_new_mem_buf(file.bytes, Int32(file.bytes.count))
        defer { BIO_free(input) }
        var certificates: [OpaquePointer] = []
        while let certificate = perigee_read_certificate(input) { certificates.append(certificate) }
        if perigee_is_end_of_pem(), !certificates.isEmpty { return certificates }
        for certificate in certificates { X509_free(certificate) }
        ERR_clear_error()
        throw TLSError(
            "\(file.path): \(certificates.isEmpty ? "no certificate in PEM format" : "damaged after the first certificate")"
        )
    }

    private static func key(in file: TLSFile) throws(TLSError) -> OpaquePointer {
        let input = BIO_new_mem_buf(file.bytes, Int32(file.bytes.count))
        defer { BIO_free(input) }
        if let key = perigee_read_key(input) { return key }
        ERR_clear_error()
        throw TLSError("\(file.path): no private key in PEM format without a passphrase")
    }

    private static func facts(of certificate: OpaquePointer, path: String) -> Facts {
        var facts = Facts()
        withUnsafeMutablePointer(to: &facts.names) { names in
            perigee_certificate_names(certificate, names) { context, bytes, count in
                let name = String(decoding: UnsafeBufferPointer(start: bytes, count: Int(count)), as: UTF8.self)
                context!.assumingMemoryBound(to: [String].self).pointee.append(name.lowercased())
            }
        }
        if perigee_certificate_time_left(certificate) < 0 { facts.warning = "\(path): the certificate has expired" }
        return facts
    }
}

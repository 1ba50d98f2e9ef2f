// What the configuration says about TLS, read from its files and made ready for handshakes.
//
// Runs on: a thread that may block.
// Read next: LiveCertificates.swift, CertificateReloader.swift

import EventLoop
import Settings

/// The certificates as they were read, and the contexts made of them. The contexts of both ports come from the same files, so
/// that they are right or wrong together.
struct Certificates: Sendable {
    /// What was read; a renewal that changes nothing is found by comparing it.
    let settings: TLSSettings
    let clients: TLSContext
    /// nil when the admin API speaks plain HTTP.
    let admin: TLSContext?

    /// Reads the files and makes contexts of them; nil when no certificate is configured.
    static func load(_ configuration: Configuration, _ ticketKeys: TLSTicketKeys) throws(TLSError) -> Certificates? {
        guard let settings = try read(configuration.tls) else { return nil }
        return try Certificates(settings, admin: configuration.admin.tls, ticketKeys)
    }

    /// Reads the files.
    static func read(_ tls: Configuration.TLS) throws(TLSError) -> TLSSettings? {
        guard !tls.certificates.isEmpty else { return nil }
        var settings = TLSSettings(certificates: [])
        for paths in tls.certificates {
            let certificate = try TLSFile(paths.certificate)
            settings.certificates.append(.init(certificate: certificate, key: try TLSFile(paths.key)))
        }
        settings.minVersion = tls.minVersion == .tls13 ? .tls13 : .tls12
        switch tls.clientCertificates {
        case .none: break
        case .optional: settings.clientCertificates = .optional
        case .required: settings.clientCertificates = .required
        }
        if settings.clientCertificates != .none { settings.clientCA = try TLSFile(tls.clientCA) }
        return settings
    }

    init(_ settings: TLSSettings, admin isAdminSecure: Bool, _ ticketKeys: TLSTicketKeys) throws(TLSError) {
        self.settings = settings
        clients = try TLSContext(settings, ticketKeys: ticketKeys)
        // Who may use the admin API is said by its keys.
        var withoutClients = settings
        withoutClients.clientCertificates = .none
        admin = isAdminSecure ? try TLSContext(withoutClients, ticketKeys: ticketKeys) : nil
    }
}

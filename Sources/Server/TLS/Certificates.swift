// The configured certificates, read from their files and made ready for handshakes.
//
// Runs on: a thread that may block.
// Read next: CertificateReloader.swift, Gateway/Node/LiveCertificates.swift.

import EventLoop
import Gateway
public import Settings

extension Certificates {
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
}

/// A check of the certificates without a server.
public enum CertificateCheck {
    /// The mistake in the certificates that the configuration names, nil when there is none, and warnings.
    public static func run(_ configuration: Configuration) -> (mistake: String?, warnings: [String]) {
        do throws(TLSError) {
            let certificates = try Certificates.load(configuration, TLSTicketKeys())
            return (nil, certificates?.clients.warnings ?? [])
        } catch {
            return (error.description, [])
        }
    }
}

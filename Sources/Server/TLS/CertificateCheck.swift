// What `perigee check` does about certificates: read them all, and say what is wrong.

import EventLoop
public import Settings

/// A check of the certificates without a server.
public enum CertificateCheck {
    /// What is wrong with the certificates that the configuration names, nil when nothing is, and what should be known.
    public static func run(_ configuration: Configuration) -> (mistake: String?, warnings: [String]) {
        do throws(TLSError) {
            let certificates = try Certificates.load(configuration, TLSTicketKeys())
            return (nil, certificates?.clients.warnings ?? [])
        } catch {
            return (error.description, [])
        }
    }
}

// The certificates for new connections; a reload puts others in their place.
//
// Read next: Server/TLS/Certificates.swift.

package import EventLoop
import Synchronization

/// The certificates as they were read, and the contexts made of them. The contexts of both ports come from the same files, so
/// that they are right or wrong together.
package struct Certificates: Sendable {
    /// The settings as they were read; comparing them finds a renewal that changes nothing.
    package let settings: TLSSettings
    package let clients: TLSContext
    /// nil when the admin API speaks plain HTTP.
    let admin: TLSContext?

    package init(_ settings: TLSSettings, admin isAdminSecure: Bool, _ ticketKeys: TLSTicketKeys) throws(TLSError) {
        self.settings = settings
        clients = try TLSContext(settings, ticketKeys: ticketKeys)
        // The admin API has keys for that.
        var withoutClients = settings
        withoutClients.clientCertificates = .none
        admin = isAdminSecure ? try TLSContext(withoutClients, ticketKeys: ticketKeys) : nil
    }
}

/// The certificates for the workers and the admin thread, which ask when a connection comes in.
package final class LiveCertificates: Sendable {
    package let ticketKeys = TLSTicketKeys()
    private let live = Mutex<Certificates?>(nil)

    /// The certificates that are live, nil when no port speaks TLS.
    package var current: Certificates? { live.withLock { $0 } }

    /// How to speak TLS with a client, nil when its port does not.
    package var clients: TLSContext? { live.withLock { $0?.clients } }

    /// How to speak TLS with a backend, nil when the admin API does not.
    package var admin: TLSContext? { live.withLock { $0?.admin } }

    package func replace(with certificates: Certificates?) { live.withLock { $0 = certificates } }
}

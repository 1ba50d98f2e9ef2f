// The certificates for new connections; a reload puts others in their place.

import EventLoop
import Synchronization

/// What the workers and the admin thread ask when a connection comes in.
final class LiveCertificates: Sendable {
    let ticketKeys = TLSTicketKeys()
    private let live = Mutex<Certificates?>(nil)

    /// The certificates that are live, nil when no port speaks TLS.
    var current: Certificates? { live.withLock { $0 } }

    /// How to speak TLS with a client, nil when its port does not.
    var clients: TLSContext? { live.withLock { $0?.clients } }

    /// How to speak TLS with a backend, nil when the admin API does not.
    var admin: TLSContext? { live.withLock { $0?.admin } }

    func replace(with certificates: Certificates?) { live.withLock { $0 = certificates } }
}

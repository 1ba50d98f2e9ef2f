// What a client keeps of a session to continue it later.

import COpenSSL

/// An earlier session. Unchecked: OpenSSL counts its references atomically, and nothing changes it.
public final class TLSTicket: @unchecked Sendable {
    let session: OpaquePointer

    init(_ session: OpaquePointer) { self.session = session }

    deinit { SSL_SESSION_free(session) }
}

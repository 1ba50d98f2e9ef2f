// The keys of session tickets. They outlive the certificates, so that clients resume their sessions across a renewal.

import COpenSSL

/// Random keys that every context of a process shares; they never leave it.
public struct TLSTicketKeys: Sendable {
    /// Name, HMAC key and encryption key, as OpenSSL takes them.
    static let count = 80

    let bytes: [UInt8]

    /// New keys.
    public init() {
        var bytes = [UInt8](repeating: 0, count: Self.count)
        precondition(RAND_bytes(&bytes, Int32(bytes.count)) == 1, "no random numbers for session tickets")
        self.bytes = bytes
    }
}

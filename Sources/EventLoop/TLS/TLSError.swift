// What is wrong with a certificate, a key, or a set of them: one sentence that names the file.

import COpenSSL

/// TLS cannot be set up.
public struct TLSError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The sentence, for a person.
    public let description: String

    init(_ description: String) { self.description = description }

    /// What OpenSSL said last on this thread; its queue of errors is empty afterwards.
    static func takeReason() -> String {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        return ERR_reason_error_string(code).map { String(cString: $0) } ?? "unknown reason"
    }
}

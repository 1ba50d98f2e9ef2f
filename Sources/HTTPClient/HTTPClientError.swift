// The one error of the client: a reason from a short list that callers may compare, and a detail that is for people.

/// Why a request has no response.
public struct HTTPClientError: Error, Equatable, Sendable {
    /// The raw value is what scripts are told.
    public enum Reason: String, Sendable, CaseIterable {
        /// Connecting, or the whole of it, took too long.
        case timeout = "timeout"
        /// As many requests as may run and as many as may wait are there already.
        case tooManyRequests = "too many requests"
        /// All addresses of the host are ones to which this client does not connect.
        case addressRefused = "address refused"
        case unknownHost = "unknown host"
        case cannotConnect = "cannot connect"
        /// No TLS with this server: its certificate is not to be trusted, or there is no common language.
        case tls = "tls"
        /// The server hung up, or the network did, before the response was whole.
        case disconnected = "disconnected"
        /// What came is not HTTP.
        case invalidResponse = "invalid response"
        case tooLarge = "too large"
        case tooManyRedirects = "too many redirects"
        /// A redirect to something other than http or https, or from https to http.
        case redirectRefused = "redirect refused"
        case failed = "failed"
    }

    public let reason: Reason
    /// What is known beyond the reason, such as `Connection refused`; may be empty.
    public let detail: String

    init(_ reason: Reason, _ detail: String = "") {
        self.reason = reason
        self.detail = detail
    }
}

extension HTTPClientError: CustomStringConvertible {
    /// The reason, and the detail behind a colon.
    public var description: String { detail.isEmpty ? reason.rawValue : "\(reason.rawValue): \(detail)" }
}

// The errors of the client. `HTTPClientError` says why a request has no response: a reason from a short list that
// callers may compare, and a detail for people. `HTTPRequestMistake` says what is wrong with a request before anything
// is sent: it is always the caller's mistake and never the network's.

import CCurl

/// The reason for which a request has no response.
public struct HTTPClientError: Error, Equatable, Sendable {
    /// Scripts see the raw value.
    public enum Reason: String, Sendable, CaseIterable {
        /// Connecting, or the whole request, took too long.
        case timeout = "timeout"
        /// As many requests run and wait already as may.
        case tooManyRequests = "too many requests"
        /// This client may not connect to any address of the host.
        case addressRefused = "address refused"
        case unknownHost = "unknown host"
        case cannotConnect = "cannot connect"
        /// TLS with this server fails: its certificate is not trusted, or there is no common version or cipher.
        case tls = "tls"
        /// The server hung up, or the network did, before the response was whole.
        case disconnected = "disconnected"
        /// The response is not HTTP.
        case invalidResponse = "invalid response"
        case tooLarge = "too large"
        case tooManyRedirects = "too many redirects"
        /// A redirect to something other than http or https, or from https to http.
        case redirectRefused = "redirect refused"
        case failed = "failed"
    }

    public let reason: Reason
    /// Details beyond the reason, such as `Connection refused`; may be empty.
    public let detail: String

    init(_ reason: Reason, _ detail: String = "") {
        self.reason = reason
        self.detail = detail
    }
}

extension HTTPClientError: CustomStringConvertible {
    /// The reason, and the detail after a colon.
    public var description: String { detail.isEmpty ? reason.rawValue : "\(reason.rawValue): \(detail)" }
}

extension HTTPClientError {
    /// The error with which a transfer ended.
    /// - Parameters:
    ///   - code: libcurl's answer, not CURLE_OK.
    ///   - systemCode: the errno behind it, 0 when the kernel had nothing to do with it.
    ///   - detail: libcurl's words.
    init(_ code: CURLcode, systemCode: Int, isSecure: Bool, detail: String) {
        let detail = detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
        self.init(Self.reason(of: code, systemCode: systemCode, isSecure: isSecure), detail)
    }

    private static func reason(of code: CURLcode, systemCode: Int, isSecure: Bool) -> Reason {
        switch code {
        case CURLE_OPERATION_TIMEDOUT: .timeout
        case CURLE_COULDNT_RESOLVE_HOST: .unknownHost
        case CURLE_COULDNT_CONNECT: .cannotConnect
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CLIENTCERT, CURLE_SSL_INVALIDCERTSTATUS:
            .tls
        case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_SEND_ERROR: .disconnected
        // Without TLS, receiving fails for the kernel's reasons, or because of a malformed chunk.
        case CURLE_RECV_ERROR: isSecure || systemCode != 0 ? .disconnected : .invalidResponse
        case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_HTTP2, CURLE_HTTP2_STREAM,
            CURLE_BAD_CONTENT_ENCODING:
            .invalidResponse
        case CURLE_FILESIZE_EXCEEDED, CURLE_OUT_OF_MEMORY: .tooLarge
        default: .failed
        }
    }
}

/// A request that cannot be made, in one sentence.
public struct HTTPRequestMistake: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

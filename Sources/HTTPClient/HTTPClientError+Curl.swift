// What libcurl's codes mean for who has asked.

import CCurl

extension HTTPClientError {
    /// The error that a transfer ended with.
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
        // Without TLS, what is received fails for the kernel's reasons, or because a chunk is not one.
        case CURLE_RECV_ERROR: isSecure || systemCode != 0 ? .disconnected : .invalidResponse
        case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_HTTP2, CURLE_HTTP2_STREAM,
            CURLE_BAD_CONTENT_ENCODING:
            .invalidResponse
        case CURLE_FILESIZE_EXCEEDED, CURLE_OUT_OF_MEMORY: .tooLarge
        default: .failed
        }
    }
}

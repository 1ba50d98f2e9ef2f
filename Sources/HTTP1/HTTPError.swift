// Every reason for which the parser refuses a request, with the status and the sentence that the peer gets.

/// The reason for refusing a request. The connection closes after the answer, because its next bytes cannot be trusted.
public enum HTTPError: UInt8, Error, Sendable, Hashable, CaseIterable {
    /// Not `METHOD SP target SP HTTP/x.y`, or a part of it is malformed (RFC 9112, section 3).
    case badRequestLine
    /// A field line without a name, with a name that is no token, or with a blank before the colon (RFC 9112, section
    /// 5.1).
    case badField
    /// A line feed without a carriage return.
    case bareLineFeed
    /// A carriage return without a line feed (RFC 9112, section 2.2).
    case bareCarriageReturn
    /// NUL, DEL or another control byte.
    case controlByte
    /// A field continued on the next line (RFC 9112, section 5.2).
    case obsoleteFolding
    /// HTTP/1.1 without a Host field (RFC 9112, section 3.2).
    case missingHost
    /// More than one Host field.
    case severalHosts
    /// A host that is no `name[:port]`, in the Host field or in the target.
    case badHost
    /// A Content-Length that is no plain decimal number of at most 18 digits.
    case badContentLength
    /// Content-Length together with Transfer-Encoding, or more than once (RFC 9112, section 6.3).
    case conflictingLength
    /// A Transfer-Encoding that is not exactly `chunked`, or in HTTP/1.0 (RFC 9112, section 6.1).
    case unsupportedTransferEncoding
    /// A malformed chunk (RFC 9112, section 7.1), or more extensions than the limit.
    case badChunk
    /// A request line over the limit.
    case uriTooLong
    /// A head or trailer section over the limit.
    case headTooLarge
    /// More fields than the limit.
    case tooManyFields
    /// A body over the limit, declared or received.
    case bodyTooLarge
    /// A major version other than 1.
    case versionNotSupported
    /// An expectation other than `100-continue` (RFC 9110, section 10.1.1).
    case expectationFailed

    /// The status code to answer with.
    public var status: Int {
        switch self {
        case .badRequestLine, .badField, .bareLineFeed, .bareCarriageReturn, .controlByte, .obsoleteFolding,
            .missingHost, .severalHosts, .badHost, .badContentLength, .conflictingLength,
            .unsupportedTransferEncoding, .badChunk:
            400
        case .bodyTooLarge: 413
        case .uriTooLong: 414
        case .expectationFailed: 417
        case .headTooLarge, .tooManyFields: 431
        case .versionNotSupported: 505
        }
    }

    /// A sentence for the peer. It stays the same between versions.
    public var reason: String {
        switch self {
        case .badRequestLine: "The request line is malformed."
        case .badField: "A header field is malformed."
        case .bareLineFeed: "A line ends in a line feed without a carriage return."
        case .bareCarriageReturn: "A carriage return is not followed by a line feed."
        case .controlByte: "The request head contains a control byte."
        case .obsoleteFolding: "A header field continues on a second line."
        case .missingHost: "The Host field is missing."
        case .severalHosts: "There is more than one Host field."
        case .badHost: "The host is malformed."
        case .badContentLength: "The Content-Length is not a decimal number."
        case .conflictingLength: "The length of the body is given more than once."
        case .unsupportedTransferEncoding: "The only transfer encoding supported is chunked, in HTTP/1.1."
        case .badChunk: "A chunk of the body is malformed."
        case .uriTooLong: "The request target is too long."
        case .headTooLarge: "The header fields are too large."
        case .tooManyFields: "There are too many header fields."
        case .bodyTooLarge: "The body is too large."
        case .versionNotSupported: "The HTTP version is not supported; use HTTP/1.1."
        case .expectationFailed: "The only expectation supported is 100-continue."
        }
    }
}

// How a refusal goes over the wire, and what becomes of a request that the parser refused.

import HTTP1
import JSON

extension AdminError {
    /// What a request that cannot be read is answered with.
    init(_ error: HTTPError) {
        self =
            switch error {
            case .badRequestLine, .badField, .bareLineFeed, .bareCarriageReturn, .controlByte, .obsoleteFolding,
                .missingHost, .severalHosts, .badHost, .badContentLength, .conflictingLength,
                .unsupportedTransferEncoding, .badChunk:
                AdminError.badRequest.saying(error.reason)
            case .bodyTooLarge: .bodyTooLarge
            case .uriTooLong: .targetTooLong
            case .expectationFailed: .expectationFailed
            case .headTooLarge, .tooManyFields: .headTooLarge
            case .versionNotSupported: .versionNotSupported
            }
    }

    /// The answer, without the request's id.
    var response: Response {
        var response = Response(status: status, fields: [("Content-Type", "application/json")], body: json.bytes)
        switch status {
        case 401: response.fields.append(("WWW-Authenticate", "Bearer"))
        case 503: response.fields.append(("Retry-After", "1"))
        default: break
        }
        return response
    }
}

// What scripts and the admin API ask about the request that opened the connection. Read anew from the kept bytes each time:
// few ask, and every connection would pay for keeping it parsed.

import EventLoop
import HTTP1

extension ClientConnection {
    var requestHead: RequestHead? { RequestHead(validated: head) }

    /// The decoded path, `/` before the handshake.
    var path: String {
        guard let head = requestHead else { return "/" }
        return Percent.decode(head.path) ?? head.path
    }

    /// The decoded pairs of the query, in order.
    var query: [(name: String, value: String)] { requestHead.map { QueryString($0.query ?? "").pairs } ?? [] }

    /// The header fields, names in lower case, repeated ones joined by `, ` (RFC 9110, section 5.3).
    var headers: [(name: String, value: [UInt8])] { requestHead?.joinedFields ?? [] }

    var user: String? { extras?.value.user }
    var subprotocol: String? { extras?.value.subprotocol }
}

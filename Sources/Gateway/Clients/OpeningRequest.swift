// The request that opened a connection, for scripts and the admin API. It is parsed again from the kept bytes each time: few
// ask, and every connection would pay for keeping it parsed.

package import HTTP1
import WebSocket

/// The bytes of the request that opened a connection; none before the handshake.
struct OpeningRequest {
    private var bytes: [UInt8] = []

    init() {}

    init(_ head: RequestHead) { bytes = head.bytes }

    private var head: RequestHead? { RequestHead(validated: bytes) }

    /// The decoded path, `/` before the handshake.
    var path: String {
        guard let head else { return "/" }
        return Percent.decode(head.path) ?? head.path
    }

    /// The decoded pairs of the query, in order.
    var query: [(name: String, value: String)] { head.map { QueryString($0.query ?? "").pairs } ?? [] }

    /// The header fields, names in lower case, repeated ones joined by `, ` (RFC 9110, section 5.3).
    var headers: [(name: String, value: [UInt8])] { head?.joinedFields ?? [] }
}

/// An HTTP request as the handshake looks at it.
struct HandshakeRequest: Handshake.Request {
    let head: RequestHead

    var isGet: Bool { head.method == .get }
    var minorVersion: Int { head.minorVersion }
    var hasBody: Bool { head.body != .none && head.body != .length(0) }
    func all(_ name: String) -> [String] { head.all(name) }
    func hasToken(_ token: String, in name: String) -> Bool { head.hasToken(token, in: name) }
}

// Header fields as scripts see them: each name once, and values as bytes, so that values that differ in any byte stay distinct.

/// Header fields whose repeated names are joined by `, ` (RFC 9110, section 5.3), in the order in which the names came first.
struct JoinedFields {
    private(set) var fields: [(name: String, value: [UInt8])] = []
    private var places: [String: Int] = [:]

    /// Joins fields whose names are in lower case.
    init(_ given: some Sequence<(name: String, value: [UInt8])>) {
        for field in given { add(field) }
    }

    private mutating func add(_ field: (name: String, value: [UInt8])) {
        if let place = places[field.name] {
            fields[place].value += ", ".utf8
            fields[place].value += field.value
        } else {
            places[field.name] = fields.count
            fields.append(field)
        }
    }
}

extension RequestHead {
    /// The header fields, each name once.
    package var joinedFields: [(name: String, value: [UInt8])] { JoinedFields(fields).fields }
}

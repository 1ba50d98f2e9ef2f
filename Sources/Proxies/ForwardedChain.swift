// Who the client is, behind proxies that say so in a header field: each appends whom it got the request from, so the list is to be
// believed from its right end, as far as the proxies are ours. What stands further left anybody could have written.
//
// Allocates: a few short strings per request that comes from a proxy.
// Read next: ForwardedChain+Elements.swift.

public import EventLoop

/// A list of addresses that proxies have put together.
public struct ForwardedChain: Sendable {
    /// The field that the list stands in.
    public enum Field: Sendable {
        /// X-Forwarded-For: addresses between commas, de facto.
        case xForwardedFor
        /// Forwarded: `for=` pairs (RFC 7239).
        case forwarded

        /// The field's name in lower case.
        public var name: String {
            switch self {
            case .xForwardedFor: "x-forwarded-for"
            case .forwarded: "forwarded"
            }
        }
    }

    /// More proxies of ours than this are not asked for: the rest of the list is a forgery, or an accident.
    public static let mostHops = 32

    private let text: String
    private let field: Field

    /// - Parameter text: the values of all fields of that name, in order, joined by commas.
    public init(_ text: String, field: Field) {
        self.text = text
        self.field = field
    }

    /// The client's address: the first one from the right that is none of our proxies'. The list is followed no further than
    /// to an element that names no address, hidden or malformed; the client is then the last proxy that is known.
    /// - Parameters:
    ///   - peer: who handed us the request; unless it is trusted, it is the client.
    ///   - trusted: the networks of our proxies.
    public func client(behind peer: SocketAddress, trusted: [IPNetwork]) -> SocketAddress {
        var client = peer
        var rest = Substring(text).utf8
        var hops = 0
        while trusted.trust(client), hops < Self.mostHops, let element = Self.takeLast(of: &rest, field),
            let address = Self.address(in: element, field)
        {
            client = address
            hops += 1
        }
        return client
    }
}

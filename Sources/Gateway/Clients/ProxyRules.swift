// The rules of the configuration about proxies and origins, as each new connection needs them.

import EventLoop
import HTTP1
import Proxies
import Settings

/// The proxies to trust, and the origins whose pages may connect.
struct ProxyRules: Sendable {
    let trusted: [IPNetwork]
    /// Whether every connection begins with a header of the PROXY protocol.
    let needsHeader: Bool
    private let field: ForwardedChain.Field?
    private let origins: [OriginRule]

    init(_ configuration: Configuration) {
        trusted = configuration.proxies.trusted
        needsHeader = configuration.proxies.protocol
        field =
            switch configuration.proxies.header {
            case .xForwardedFor: .xForwardedFor
            case .forwarded: .forwarded
            case .none: nil
            }
        origins = configuration.websocket.origins
    }

    /// The address of the client behind a request that came from `peer`.
    func client(of head: RequestHead, behind peer: SocketAddress) -> SocketAddress {
        guard let field, trusted.trust(peer), let chain = head.joined(field.name) else { return peer }
        return ForwardedChain(chain, field: field).client(behind: peer, trusted: trusted)
    }

    /// Whether the page that a request comes from, if it does, may connect.
    func allowsOrigin(of head: RequestHead) -> Bool {
        OriginRule.allow(origins: head.all("origin"), host: head.host, rules: origins)
    }
}

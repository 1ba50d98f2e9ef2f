// Where requests may go. A script that builds a URL from what a client sent must not be a way to the services that hosts offer
// to themselves: cloud providers hand out credentials to whoever asks 169.254.169.254, and this process has an admin API.
// Loopback and private networks are allowed, because backends live there.
//
// The rules are asked about the address of each connection at the moment it is made, so that neither a name that changes its
// address nor a redirect goes around them.

public import EventLoop
public import Proxies

/// Networks to which a client connects, and to which it does not.
public struct AddressRules: Sendable, Equatable {
    /// Allowed, whatever else says no, but for `own`.
    public var allowed: [IPNetwork]
    /// Refused in addition to `alwaysRefused`.
    public var denied: [IPNetwork]
    /// Where this process itself listens for those who run it: these addresses and ports are refused, whatever else is allowed.
    public var own: [SocketAddress]

    public init(allowed: [IPNetwork] = [], denied: [IPNetwork] = [], own: [SocketAddress] = []) {
        self.allowed = allowed
        self.denied = denied
        self.own = own
    }

    /// Link-local and multicast networks, "this host", reserved ones, and the places where clouds hand out metadata.
    public static let alwaysRefused: [IPNetwork] = [
        "0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4",
        "100.100.100.200", "168.63.129.16", "192.0.0.192",
        "::", "fe80::/10", "ff00::/8", "fd00:ec2::/32", "fd20:ce::254",
    ].map { IPNetwork($0)! }

    /// Whether a connection may be made to the address. An IPv4 address inside an IPv6 one (mapped, NAT64, 6to4, …) is held to
    /// the rules for IPv4 as well, and each of the two may refuse. Where it is only a guess that packets come out at the IPv4
    /// address, as in a tunnel's, it may refuse and never allow.
    public func permit(_ address: SocketAddress) -> Bool {
        let (outer, inner) = (address.unmapped, address.embeddedIPv4)
        guard !isOwn(outer), inner.map({ !isOwn($0.address) }) ?? true else { return false }
        guard isAllowed(outer) || !isRefused(outer) else { return false }
        guard let inner else { return true }
        return inner.isRouted && isAllowed(inner.address) || !isRefused(inner.address)
    }

    private func isAllowed(_ address: SocketAddress) -> Bool { allowed.contains { $0.contains(address) } }

    private func isRefused(_ address: SocketAddress) -> Bool {
        denied.contains { $0.contains(address) } || Self.alwaysRefused.contains { $0.contains(address) }
    }

    /// Whether a connection to the address would reach one of `own`.
    private func isOwn(_ address: SocketAddress) -> Bool {
        own.contains { place in
            guard place.port == address.port else { return false }
            // The kernel takes a connection to 0.0.0.0 or :: for one to this machine.
            if address.isUnspecified || place.unmapped.bits == address.bits { return true }
            return place.isUnspecified && address.isOfThisMachine
        }
    }
}

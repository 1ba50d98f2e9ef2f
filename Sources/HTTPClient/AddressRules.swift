// Where requests may go. A script that builds a URL from what a client sent must not be a way to the services that hosts offer
// to themselves: cloud providers hand out credentials to whoever asks 169.254.169.254. Loopback and private networks are
// allowed, because backends live there.
//
// The rules are asked about the address of each connection at the moment it is made, so that neither a name that changes its
// address nor a redirect goes around them.

public import EventLoop
public import Proxies

/// Networks to which a client connects, and to which it does not.
public struct AddressRules: Sendable, Equatable {
    /// Allowed, whatever else says no.
    public var allowed: [IPNetwork]
    /// Refused in addition to `alwaysRefused`.
    public var denied: [IPNetwork]

    public init(allowed: [IPNetwork] = [], denied: [IPNetwork] = []) {
        self.allowed = allowed
        self.denied = denied
    }

    /// Link-local and multicast networks, "this host", reserved ones, and the places where clouds hand out metadata; also as they
    /// appear behind NAT64 and 6to4.
    public static let alwaysRefused: [IPNetwork] = [
        "0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4",
        "100.100.100.200", "168.63.129.16", "192.0.0.192",
        "::", "fe80::/10", "ff00::/8", "fd00:ec2::/32", "fd20:ce::254",
        "64:ff9b::a9fe:0/112", "2002:a9fe::/32",
    ].map { IPNetwork($0)! }

    /// Whether a connection may be made to the address.
    public func permit(_ address: SocketAddress) -> Bool {
        if allowed.contains(where: { $0.contains(address) }) { return true }
        return !denied.contains { $0.contains(address) } && !Self.alwaysRefused.contains { $0.contains(address) }
    }
}

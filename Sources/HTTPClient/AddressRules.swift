// The addresses to which requests may go. A script may build a URL from a client's message, and such a URL must not
// reach the services that a host offers to itself: cloud providers hand out credentials at 169.254.169.254, and this
// process has an admin API. Loopback and private networks are allowed, because backends live there.
//
// The rules are applied to the address of each connection when it is made, so a name that changes its address cannot
// get around them, nor can a redirect. A rule about an IPv4 network also covers IPv6 addresses that carry an IPv4
// address for a gateway, a tunnel or the kernel.

public import EventLoop
public import Proxies

/// Networks to which a client may connect, and networks to which it may not.
public struct AddressRules: Sendable, Equatable {
    /// Networks that are allowed although another rule refuses them; only `own` takes precedence.
    public var allowed: [IPNetwork]
    /// Networks that are refused in addition to `alwaysRefused`.
    public var denied: [IPNetwork]
    /// The addresses and ports on which this process listens for its operators: they are refused, even if their
    /// networks are allowed.
    public var own: [SocketAddress]

    public init(allowed: [IPNetwork] = [], denied: [IPNetwork] = [], own: [SocketAddress] = []) {
        self.allowed = allowed
        self.denied = denied
        self.own = own
    }

    /// Link-local and multicast networks, "this host", reserved ones, and the addresses at which clouds hand out
    /// metadata.
    public static let alwaysRefused: [IPNetwork] = [
        "0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4",
        "100.100.100.200", "168.63.129.16", "192.0.0.192",
        "::", "fe80::/10", "ff00::/8", "fd00:ec2::/32", "fd20:ce::254",
    ].map { IPNetwork($0)! }

    /// Whether a connection may be made to the address. An IPv4 address inside an IPv6 one (mapped, NAT64, 6to4, …) is
    /// held to the rules for IPv4 as well, and each of the two may refuse. If it is only a guess that packets arrive at
    /// the IPv4 address, as with a tunnel, that address may refuse but never allow.
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
            // The kernel treats a connection to 0.0.0.0 or :: as one to this machine.
            if address.isUnspecified || place.unmapped.bits == address.bits { return true }
            return place.isUnspecified && address.isOfThisMachine
        }
    }
}

/// An IPv4 address inside an IPv6 one.
struct EmbeddedIPv4 {
    let address: SocketAddress
    /// Whether packets certainly arrive at it where the form is in use: mapped by the kernel, or by NAT64 or 6to4. With
    /// other forms they only may.
    let isRouted: Bool
}

extension SocketAddress {
    /// The IPv4 address at which packets to this IPv6 address may arrive; nil if there is none.
    var embeddedIPv4: EmbeddedIPv4? {
        guard !isIPv4, !isUnix else { return nil }
        let last = UInt32(truncatingIfNeeded: bits)
        let address: UInt32
        var isRouted = false
        switch bits >> 32 {
        // IPv4-compatible ::a.b.c.d (RFC 4291, 2.5.5.1), without :: and ::1 themselves.
        case 0 where last > 1: address = last
        // IPv4-mapped ::ffff:a.b.c.d (RFC 4291, 2.5.5.2).
        case 0xFFFF: (address, isRouted) = (last, true)
        // IPv4-translated ::ffff:0:a.b.c.d (RFC 2765).
        case 0xFFFF_0000: address = last
        // NAT64: 64:ff9b::/96 (RFC 6052), and the local-use 64:ff9b:1::/48 (RFC 8215) with the address at its end.
        case 0x0064_FF9B << 64: (address, isRouted) = (last, true)
        case let prefix where prefix >> 48 == 0x0064_FF9B_0001: (address, isRouted) = (last, true)
        // 6to4: 2002:a.b.c.d::/48 (RFC 3056).
        case let prefix where prefix >> 80 == 0x2002:
            (address, isRouted) = (UInt32(truncatingIfNeeded: bits >> 80), true)
        // Teredo: 2001::/32, the client's address inverted at its end (RFC 4380).
        case let prefix where prefix >> 64 == 0x2001_0000: address = ~last
        // ISATAP: an interface identifier 0:5efe:a.b.c.d or 200:5efe:a.b.c.d (RFC 5214).
        case let prefix where prefix & 0xFDFF_FFFF == 0x5EFE: address = last
        default: return nil
        }
        return EmbeddedIPv4(address: SocketAddress(ipv4: address, port: port), isRouted: isRouted)
    }
}

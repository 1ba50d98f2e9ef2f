// IPv4 addresses in IPv6 clothes: what a gateway, a tunnel or the kernel itself makes of an IPv6 address. A rule about an IPv4
// network means them, too.

import EventLoop

/// An IPv4 address inside an IPv6 one.
struct EmbeddedIPv4 {
    let address: SocketAddress
    /// Whether packets come out at it wherever the form is in use at all: mapped by the kernel, or by NAT64 or 6to4. Other forms only
    /// may mean it.
    let isRouted: Bool
}

extension SocketAddress {
    /// The IPv4 address that packets to this IPv6 address may come out at; nil where there is none.
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

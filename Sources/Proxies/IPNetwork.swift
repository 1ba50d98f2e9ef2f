// A range of addresses as operators write it: 10.0.0.0/8, 2001:db8::/32, or one address alone.
//
// Allocates: nothing after parsing.

public import EventLoop

/// A block of IPv4 or IPv6 addresses (CIDR, RFC 4632 and RFC 4291).
public struct IPNetwork: Hashable, Sendable {
    /// The lowest address; IPv4 in its mapped form, so that an IPv4 client has the same address on a dual-stack listener.
    private let base: UInt128
    private let mask: UInt128
    private let isIPv4: Bool

    private static let mappedPrefix = UInt128(0xFFFF) << 32

    /// Parses `ADDRESS/LENGTH`, or `ADDRESS` for the network of that one address. Nil for anything else, and for an address with
    /// bits set behind the length, which is more likely a mistake than an intention. An IPv6 network inside `::ffff:0:0/96` is
    /// the IPv4 network that is mapped there.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = NumericAddress.parse(parts[0], port: 0) else { return nil }
        let width = address.isIPv4 ? 32 : 128
        var length = width
        if parts.count == 2 {
            guard let given = NumericAddress.decimal(parts[1], digits: 3), given <= width else { return nil }
            length = given
        }
        let ones = length + (128 - width)
        let mask = ones == 0 ? 0 : UInt128.max << (128 - ones)
        guard address.bits & ~mask == 0 else { return nil }
        self.base = address.bits
        self.mask = mask
        isIPv4 = ones >= 96 && address.bits >> 32 == Self.mappedPrefix >> 32
    }

    /// Whether the network contains the address. An IPv6 network contains no IPv4 address unless it is a network of mapped
    /// addresses, so `::/0` is all of IPv6 and nothing more. No network contains a peer on a UNIX socket.
    public func contains(_ address: SocketAddress) -> Bool {
        guard !address.isUnix, address.unmapped.isIPv4 == isIPv4 else { return false }
        return address.bits & mask == base
    }
}

extension IPNetwork: CustomStringConvertible {
    /// `10.0.0.0/8` or `2001:db8::/32`.
    public var description: String {
        let ones = mask.nonzeroBitCount
        let address = SocketAddress(ipv6: base, port: 0)
        return isIPv4 ? "\(address.unmapped.host)/\(ones - 96)" : "\(address.host)/\(ones)"
    }
}

extension [IPNetwork] {
    /// Whether a peer is trusted: it is in one of the networks, or on a UNIX socket, where file permissions decide.
    public func trust(_ peer: SocketAddress) -> Bool { peer.isUnix || contains { $0.contains(peer) } }
}

// An IPv4 or IPv6 address with a port, or the mark of a peer on a UNIX socket, in 20 bytes without a heap object: every
// connection carries its peer's.

import CLinux
import Glibc

/// A numeric socket address, or that of a peer on a UNIX socket, which has neither number nor name.
public struct SocketAddress: Hashable, Sendable {
    private enum Family: UInt8 {
        case ipv4, ipv6, unix
    }

    /// The 16 bytes of an IPv6 address, high half first; IPv4 is kept in its mapped form `::ffff:a.b.c.d`.
    private let high: UInt64
    private let low: UInt64
    /// 0 to 65535; 0 on a UNIX socket.
    public let port: UInt16
    private let family: Family

    private static let mappedPrefix: UInt64 = 0xFFFF << 32

    /// A peer on a UNIX socket: a process of this machine.
    public static let unix = SocketAddress(high: 0, low: 0, port: 0, family: .unix)

    /// Whether sockets of this address are IPv4 sockets.
    public var isIPv4: Bool { family == .ipv4 }

    /// Whether it is a peer on a UNIX socket.
    public var isUnix: Bool { family == .unix }

    /// The IPv4 address whose four bytes are these, the first one highest.
    public init(ipv4 bytes: UInt32, port: UInt16) {
        self.init(high: 0, low: Self.mappedPrefix | UInt64(bytes), port: port, family: .ipv4)
    }

    /// The IPv6 address whose 16 bytes are these, the first one highest.
    public init(ipv6 bytes: UInt128, port: UInt16) {
        self.init(
            high: UInt64(truncatingIfNeeded: bytes >> 64), low: UInt64(truncatingIfNeeded: bytes), port: port,
            family: .ipv6)
    }

    /// Parses a numeric host (`127.0.0.1`, `::1`) or `localhost`; nil for anything else.
    public init?(host: String, port: UInt16) {
        // The C functions below would stop at a zero byte.
        guard !host.utf8.contains(0) else { return nil }
        let host = host == "localhost" ? "127.0.0.1" : host
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, host, &four) == 1 {
            self.init(ipv4: UInt32(bigEndian: four.s_addr), port: port)
        } else if inet_pton(AF_INET6, host, &six) == 1 {
            let halves = withUnsafeBytes(of: &six) { raw in
                (raw.loadUnaligned(as: UInt64.self), raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            }
            self.init(
                high: UInt64(bigEndian: halves.0), low: UInt64(bigEndian: halves.1), port: port, family: .ipv6)
        } else {
            return nil
        }
    }

    private init(high: UInt64, low: UInt64, port: UInt16, family: Family) {
        self.high = high
        self.low = low
        self.port = port
        self.family = family
    }

    /// Reads the bytes of a `struct sockaddr` of any family, as a library hands it over.
    public init(sockaddr bytes: UnsafeRawBufferPointer) {
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { storage in
            storage.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes.prefix(storage.count)))
        }
        self.init(&storage)
    }

    /// Reads the kernel's form; an unknown family gives `0.0.0.0:0`.
    init(_ storage: inout sockaddr_storage) {
        switch Int32(storage.ss_family) {
        case AF_INET:
            let address = withUnsafeBytes(of: &storage) { $0.load(as: sockaddr_in.self) }
            self.init(ipv4: UInt32(bigEndian: address.sin_addr.s_addr), port: UInt16(bigEndian: address.sin_port))
        case AF_INET6:
            let halves = withUnsafeBytes(of: &storage) { raw in
                (
                    raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                    raw.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
                    raw.loadUnaligned(fromByteOffset: 2, as: UInt16.self)
                )
            }
            self.init(
                high: UInt64(bigEndian: halves.0), low: UInt64(bigEndian: halves.1), port: UInt16(bigEndian: halves.2),
                family: .ipv6)
        case AF_UNIX:
            self = .unix
        default:
            self.init(ipv4: 0, port: 0)
        }
    }

    /// The local address of a bound socket.
    public static func local(of descriptor: Int32) -> SocketAddress {
        var storage = sockaddr_storage()
        _ = clinux_local_address(descriptor, &storage)
        return SocketAddress(&storage)
    }

    /// Connects a blocking socket of the address's family; 0 or -errno.
    public func connect(_ descriptor: Int32) -> Int32 { withSockaddr { clinux_connect(descriptor, $0, $1) } }

    /// Calls `body` with the kernel's form of the address, which must not be that of a UNIX socket.
    func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        if isIPv4 {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(truncatingIfNeeded: low).bigEndian
            return withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        withUnsafeMutableBytes(of: &address.sin6_addr) { raw in
            raw.storeBytes(of: high.bigEndian, as: UInt64.self)
            raw.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
    }

    /// The 16 bytes of the address in IPv6 form, the first one highest; IPv4 as `::ffff:a.b.c.d`. 0 for a UNIX socket.
    public var bits: UInt128 { UInt128(high) << 64 | UInt128(low) }

    /// Whether it is an IPv4 address, mapped into IPv6 or not.
    private var holdsIPv4: Bool { family == .ipv4 || (family == .ipv6 && high == 0 && low >> 32 == 0xFFFF) }

    /// The address, with an IPv4 address that is mapped into IPv6 turned back into IPv4: a dual-stack listener sees its
    /// IPv4 clients mapped.
    public var unmapped: SocketAddress {
        holdsIPv4 ? SocketAddress(ipv4: UInt32(truncatingIfNeeded: low), port: port) : self
    }

    /// The address without the port, as text: `192.0.2.7`, `2001:db8::1` or `unix`. IPv4 clients of an IPv6 socket show
    /// as IPv4.
    public var host: String {
        if isUnix { return "unix" }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        if holdsIPv4 {
            var address = in_addr(s_addr: UInt32(truncatingIfNeeded: low).bigEndian)
            inet_ntop(AF_INET, &address, &text, socklen_t(text.count))
        } else {
            var halves = (high.bigEndian, low.bigEndian)
            inet_ntop(AF_INET6, &halves, &text, socklen_t(text.count))
        }
        return text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }

    /// Whether only this machine can connect to it.
    public var isLoopback: Bool {
        if isUnix { return true }
        if holdsIPv4 { return (low >> 24) & 0xFF == 127 }
        return high == 0 && low == 1
    }

    /// The part of the address that one household or one rented machine has for itself, as one number: an IPv4 address,
    /// or the upper half of an IPv6 address, whose lower half its owner chooses at will.
    public var owner: UInt64 {
        let isMapped = isIPv4 || (high == 0 && low >> 32 == 0xFFFF)
        return isMapped ? low : high
    }
}

extension SocketAddress: CustomStringConvertible {
    /// `127.0.0.1:8080`, `[::1]:8080` or `unix`.
    public var description: String {
        switch family {
        case .ipv4: "\(host):\(port)"
        case .ipv6: "[\(host)]:\(port)"
        case .unix: "unix"
        }
    }
}

extension SocketAddress {
    /// Whether the address is one that this machine has at this moment, loopback ones included; asks the kernel.
    public var isOfThisMachine: Bool {
        if isUnix || isLoopback { return true }
        let descriptor = socket(
            isIPv4 ? AF_INET : AF_INET6, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        // Only an address of another machine is "not available". An address of this machine may be refused for another
        // reason: a link-local one needs its interface.
        return SocketAddress(bits: bits, isIPv4: isIPv4).withSockaddr {
            clinux_bind(descriptor, $0, $1)
        } != -EADDRNOTAVAIL
    }

    /// Whether it stands for every address of a machine: `0.0.0.0` or `::`.
    public var isUnspecified: Bool {
        isIPv4 ? UInt32(truncatingIfNeeded: bits) == 0 : !isUnix && bits == 0
    }

    private init(bits: UInt128, isIPv4: Bool) {
        if isIPv4 {
            self.init(ipv4: UInt32(truncatingIfNeeded: bits), port: 0)
        } else {
            self.init(ipv6: bits, port: 0)
        }
    }
}

extension SocketAddress {
    /// The address that a client on this machine can connect to.
    public var reachableAddress: SocketAddress {
        switch host {
        case "0.0.0.0": SocketAddress(host: "127.0.0.1", port: port) ?? self
        case "::": SocketAddress(host: "::1", port: port) ?? self
        default: self
        }
    }

    /// The address as a client on this machine can use it: a wildcard is reached through the loopback address.
    public var reachable: String {
        switch host {
        case "0.0.0.0": "127.0.0.1:\(port)"
        case "::": "[::1]:\(port)"
        default: "\(self)"
        }
    }
}

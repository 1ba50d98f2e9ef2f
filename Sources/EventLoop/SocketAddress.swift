// An IPv4 or IPv6 address with a port, in 20 bytes without a heap object: every connection carries its peer's.

import CLinux
import Glibc

/// A numeric socket address.
public struct SocketAddress: Hashable, Sendable {
    /// The 16 bytes of an IPv6 address, high half first; IPv4 is kept in its mapped form `::ffff:a.b.c.d`.
    private let high: UInt64
    private let low: UInt64
    /// 0 to 65535.
    public let port: UInt16
    /// Whether sockets of this address are IPv4 sockets.
    public let isIPv4: Bool

    private static let mappedPrefix: UInt64 = 0xFFFF << 32

    /// Parses a numeric host (`127.0.0.1`, `::1`) or `localhost`; nil for anything else.
    public init?(host: String, port: UInt16) {
        // The C functions below would take what stands before a zero byte for the whole.
        guard !host.utf8.contains(0) else { return nil }
        let host = host == "localhost" ? "127.0.0.1" : host
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, host, &four) == 1 {
            self.init(
                high: 0, low: Self.mappedPrefix | UInt64(UInt32(bigEndian: four.s_addr)), port: port, isIPv4: true)
        } else if inet_pton(AF_INET6, host, &six) == 1 {
            let halves = withUnsafeBytes(of: &six) { raw in
                (raw.loadUnaligned(as: UInt64.self), raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            }
            self.init(
                high: UInt64(bigEndian: halves.0), low: UInt64(bigEndian: halves.1), port: port, isIPv4: false)
        } else {
            return nil
        }
    }

    private init(high: UInt64, low: UInt64, port: UInt16, isIPv4: Bool) {
        self.high = high
        self.low = low
        self.port = port
        self.isIPv4 = isIPv4
    }

    /// Reads what the kernel wrote; an unknown family gives `0.0.0.0:0`.
    init(_ storage: inout sockaddr_storage) {
        switch Int32(storage.ss_family) {
        case AF_INET:
            let address = withUnsafeBytes(of: &storage) { $0.load(as: sockaddr_in.self) }
            self.init(
                high: 0, low: Self.mappedPrefix | UInt64(UInt32(bigEndian: address.sin_addr.s_addr)),
                port: UInt16(bigEndian: address.sin_port), isIPv4: true)
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
                isIPv4: false)
        default:
            self.init(high: 0, low: Self.mappedPrefix, port: 0, isIPv4: true)
        }
    }

    /// The local address of a bound socket.
    static func local(of descriptor: Int32) -> SocketAddress {
        var storage = sockaddr_storage()
        _ = clinux_local_address(descriptor, &storage)
        return SocketAddress(&storage)
    }

    /// Calls `body` with the kernel's form of the address.
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

    /// The address without the port, as text: `192.0.2.7` or `2001:db8::1`. IPv4 clients of an IPv6 socket show as IPv4.
    public var host: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        if isIPv4 || (high == 0 && low >> 32 == 0xFFFF) {
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
        if isIPv4 || (high == 0 && low >> 32 == 0xFFFF) { return (low >> 24) & 0xFF == 127 }
        return high == 0 && low == 1
    }

    /// What one household or one rented machine has to itself, as one number: an IPv4 address, or the upper half of an IPv6
    /// address, whose lower half its owner chooses at will.
    public var owner: UInt64 {
        let isMapped = isIPv4 || (high == 0 && low >> 32 == 0xFFFF)
        return isMapped ? low : high
    }
}

extension SocketAddress: CustomStringConvertible {
    /// `127.0.0.1:8080` or `[::1]:8080`.
    public var description: String { isIPv4 ? "\(host):\(port)" : "[\(host)]:\(port)" }
}

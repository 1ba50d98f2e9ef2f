// An address to listen on: a port, or the file of a UNIX socket. Hosts are numeric: a listener must not depend on a name service.

public import EventLoop
import Glibc

/// A numeric host and a port, as in `127.0.0.1:8080` and `[::1]:8080`, or a UNIX socket's path, as in `unix:/run/p.sock`.
public struct ListenAddress: Sendable, Hashable {
    /// The host in its canonical numeric form, IPv4 or IPv6, without brackets; empty for a UNIX socket.
    public let host: String
    /// The port; 0 for a free one that the kernel picks, and on a UNIX socket.
    public let port: UInt16
    /// The path of the UNIX socket; nil for a host and port.
    public let unixPath: String?

    /// The room for a path in the kernel's address of a UNIX socket, in bytes.
    static let longestPath = 107
    private static let unixPrefix = "unix:"

    /// A numeric host, or `localhost` for 127.0.0.1, and a port; nil when the host is neither IPv4 nor IPv6.
    public init?(host: String, port: UInt16) {
        guard let canonical = Self.canonical(host == "localhost" ? "127.0.0.1" : host) else { return nil }
        self.init(canonical: canonical, port: port)
    }

    /// A UNIX socket; nil for a path that is empty, longer than 107 bytes, or has control characters.
    public init?(unixPath path: String) {
        guard (1...Self.longestPath).contains(path.utf8.count), path.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else { return nil }
        host = ""
        port = 0
        unixPath = path
    }

    /// An address from `HOST:PORT`, an IPv6 host in brackets, or from `unix:PATH`; nil when the text is anything else.
    public init?(_ text: String) {
        if text.hasPrefix(Self.unixPrefix) {
            self.init(unixPath: String(text.dropFirst(Self.unixPrefix.count)))
            return
        }
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let (host, digits) = (text[..<colon], text[text.index(after: colon)...])
        guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = UInt16(digits)
        else { return nil }
        let bracketed = host.hasPrefix("[") && host.hasSuffix("]") && host.contains(":")
        guard bracketed || !host.contains(":") else { return nil }
        self.init(host: String(bracketed ? host.dropFirst().dropLast() : host), port: port)
    }

    private init(canonical: String, port: UInt16) {
        self.host = canonical
        self.port = port
        unixPath = nil
    }

    /// Every IPv4 address of this machine.
    public static func anywhere(port: UInt16) -> ListenAddress { ListenAddress(canonical: "0.0.0.0", port: port) }

    /// 127.0.0.1, which only this machine reaches.
    public static func loopback(port: UInt16) -> ListenAddress { ListenAddress(canonical: "127.0.0.1", port: port) }

    /// Whether the host is IPv6.
    public var isIPv6: Bool { host.contains(":") }

    /// Whether only this machine reaches the address: a UNIX socket, 127.0.0.0/8, ::1, or 127.0.0.0/8 inside IPv6.
    public var isLoopback: Bool {
        unixPath != nil || host.hasPrefix("127.") || host == "::1" || host.hasPrefix("::ffff:127.")
    }

    /// Whether the address stands for every address of this machine.
    public var isWildcard: Bool { host == "0.0.0.0" || host == "::" }

    private static func canonical(_ host: String) -> String? {
        canonical(host, AF_INET, size: MemoryLayout<in_addr>.size)
            ?? canonical(host, AF_INET6, size: MemoryLayout<in6_addr>.size)
    }

    private static func canonical(_ host: String, _ family: Int32, size: Int) -> String? {
        guard !host.utf8.contains(0) else { return nil }
        return withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { address in
            guard inet_pton(family, host, address.baseAddress) == 1 else { return nil }
            return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
                inet_ntop(family, address.baseAddress, text.baseAddress, socklen_t(text.count))
                    .map { String(cString: $0) }
            }
        }
    }
}

extension ListenAddress: CustomStringConvertible {
    /// `HOST:PORT`, an IPv6 host in brackets, or `unix:PATH`.
    public var description: String {
        if let unixPath { return Self.unixPrefix + unixPath }
        return isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

extension ListenAddress {
    /// The address as sockets have it; only for hosts and ports.
    public var socketAddress: SocketAddress {
        guard let address = SocketAddress(host: host, port: port) else {
            preconditionFailure("the configuration let an address pass that is none: \(self)")
        }
        return address
    }
}

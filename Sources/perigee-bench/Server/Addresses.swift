// Addresses of servers: read from text, and connected to without waiting.
//
// Read next: ServerUnderTest.swift.

import CLinux
import EventLoop
import Glibc

extension SocketAddress {
    /// Reads `127.0.0.1:8080`, `localhost:8080` or `[::1]:8080`; nil for anything else.
    init?(text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        self.init(host: String(host), port: port)
    }
}

/// Begins TCP connections.
enum Dial {
    /// Returns a non-blocking descriptor that is connected or connecting. It closes with a reset: thousands of connections in
    /// TIME-WAIT would use up the machine's ports for a minute.
    static func connect(to address: SocketAddress) throws(BenchError) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.isIPv4 ? AF_INET : AF_INET6, type, 0)
        guard descriptor >= 0 else { throw BenchError("no socket: \(String(cString: strerror(errno)))") }
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        var atOnce = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &atOnce, socklen_t(MemoryLayout<linger>.size))
        let result = address.isIPv4 ? connect4(descriptor, address) : connect6(descriptor, address)
        guard result == 0 || result == -EINPROGRESS else {
            close(descriptor)
            throw BenchError("cannot connect to \(address): \(String(cString: strerror(-result)))")
        }
        return descriptor
    }

    private static func connect4(_ descriptor: Int32, _ address: SocketAddress) -> Int32 {
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = address.port.bigEndian
        inet_pton(AF_INET, address.host, &target.sin_addr)
        return withUnsafeBytes(of: &target) { connect(descriptor, $0) }
    }

    /// An IPv4 address in IPv6 form shows without its prefix; the kernel needs the prefix.
    private static func connect6(_ descriptor: Int32, _ address: SocketAddress) -> Int32 {
        var target = sockaddr_in6()
        target.sin6_family = sa_family_t(AF_INET6)
        target.sin6_port = address.port.bigEndian
        let host = address.host
        inet_pton(AF_INET6, host.contains(":") ? host : "::ffff:" + host, &target.sin6_addr)
        return withUnsafeBytes(of: &target) { connect(descriptor, $0) }
    }

    private static func connect(_ descriptor: Int32, _ target: UnsafeRawBufferPointer) -> Int32 {
        clinux_connect(descriptor, target.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(target.count))
    }
}

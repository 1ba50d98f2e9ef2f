// A TCP connection begun and not waited for.

import CLinux
import EventLoop
import Glibc

enum Dial {
    /// Answers a non-blocking descriptor that is connected or about to be. It hangs up with a reset, because thousands
    /// of polite goodbyes would leave the machine without ports for a minute.
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

    /// An IPv4 address in IPv6 form shows without its prefix; the kernel wants it with.
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

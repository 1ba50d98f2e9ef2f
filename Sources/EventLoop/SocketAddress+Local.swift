// Whether an address is one of this machine's.

import CLinux
import Glibc

extension SocketAddress {
    /// Whether the address is one that this machine has at this moment, loopback ones included; asks the kernel.
    public var isOfThisMachine: Bool {
        if isUnix || isLoopback { return true }
        let descriptor = socket(
            isIPv4 ? AF_INET : AF_INET6, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        // Only an address of another machine is not available. An own one may be refused for another reason: one of a link needs
        // to be told which.
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

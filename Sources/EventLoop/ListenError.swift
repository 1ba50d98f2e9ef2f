// Why a listening socket could not be opened, in words for the person who starts the server.

import Glibc

/// A listening socket could not be opened.
public struct ListenError: Error, Sendable, CustomStringConvertible {
    public let address: SocketAddress
    /// The errno of the call that failed.
    public let code: Int32

    /// One line: the address and what is wrong with it.
    public var description: String {
        switch code {
        case EADDRINUSE: "cannot listen on \(address): the port is in use by another process"
        case EACCES: "cannot listen on \(address): no permission (ports below 1024 need CAP_NET_BIND_SERVICE)"
        case EADDRNOTAVAIL: "cannot listen on \(address): this machine has no such address"
        default: "cannot listen on \(address): \(String(cString: strerror(code)))"
        }
    }
}

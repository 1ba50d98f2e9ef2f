// The reasons for which a listening socket could not be opened, in words for the person who starts the server.

import Glibc

/// A listening socket could not be opened.
public struct ListenError: Error, Sendable, CustomStringConvertible {
    public let address: SocketAddress
    /// The errno of the call that failed.
    public let code: Int32
    /// The path of a UNIX socket.
    private let path: String?

    init(address: SocketAddress, code: Int32) {
        self.address = address
        self.code = code
        path = nil
    }

    init(path: String, code: Int32) {
        address = .unix
        self.code = code
        self.path = path
    }

    /// One line: the address and its error.
    public var description: String {
        if let path { return "cannot listen on unix:\(path): \(reasonOfPath)" }
        return switch code {
        case EADDRINUSE: "cannot listen on \(address): the port is in use by another process"
        case EACCES: "cannot listen on \(address): no permission (ports below 1024 need CAP_NET_BIND_SERVICE)"
        case EADDRNOTAVAIL: "cannot listen on \(address): this machine has no such address"
        case EINVAL: "cannot accept on \(address): another process has shut the socket down"
        default: "cannot listen on \(address): \(String(cString: strerror(code)))"
        }
    }

    private var reasonOfPath: String {
        switch code {
        case EADDRINUSE: "another process listens there"
        case EEXIST: "there is a file that is no socket"
        case ENOENT: "its folder does not exist"
        case EWOULDBLOCK: "another process holds its lock"
        default: String(cString: strerror(code))
        }
    }
}

// Where the admin API is, as `curl` is told: by a URL, and by the file of a UNIX socket where there is one.

import EventLoop

/// The admin API's place in a command line.
struct AdminPlace: Sendable {
    /// The URL before `/v1`.
    let url: String
    /// What `--unix-socket` names.
    let socket: String?

    /// - Parameter path: that of its socket file, if it has one.
    init(_ address: SocketAddress, path: String?, isSecure: Bool) {
        let scheme = isSecure ? "https" : "http"
        url = "\(scheme)://" + (path == nil ? address.reachable : "localhost")
        socket = path
    }
}

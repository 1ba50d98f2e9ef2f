// Where the admin API is, as `curl` is told: by a URL, and by the file of a UNIX socket where there is one.

import EventLoop

/// The admin API's place in a command line.
struct AdminPlace: Sendable {
    /// The URL before `/v1`.
    let url: String
    /// What `--unix-socket` names.
    let socket: String?

    init(_ address: SocketAddress, file: UnixSocketFile?, isSecure: Bool) {
        let scheme = isSecure ? "https" : "http"
        url = "\(scheme)://" + (file == nil ? address.reachable : "localhost")
        socket = file?.path
    }
}

// Where the admin API is, as `curl` is told: by a URL, and by the file of a UNIX socket where there is one.

import EventLoop

/// The admin API's place in a command line.
struct AdminPlace: Sendable {
    /// The URL before `/v1`.
    let url: String
    /// What `--unix-socket` names.
    let socket: String?

    init(_ address: SocketAddress, file: UnixSocketFile?) {
        url = file == nil ? "http://\(address.reachable)" : "http://localhost"
        socket = file?.path
    }
}

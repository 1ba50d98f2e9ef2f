// Tells the service manager how the process fares: systemd's protocol of one datagram per message, sd_notify(3), without its
// library.

import CLinux

/// The socket on which a service manager listens.
struct ServiceNotifier: Sendable {
    private let socket: String

    /// - Parameter socket: a path, or `@` and the name of an abstract socket; nil for anything else.
    init?(socket: String) {
        guard socket.hasPrefix("/") || socket.hasPrefix("@"), socket.utf8.count > 1 else { return nil }
        self.socket = socket
    }

    /// Sends assignments such as `READY=1` in one message. A manager that is gone is no concern of ours.
    func tell(_ assignments: [String]) {
        let message = Array(assignments.joined(separator: "\n").utf8)
        _ = clinux_send_to_path(socket, message, message.count)
    }
}

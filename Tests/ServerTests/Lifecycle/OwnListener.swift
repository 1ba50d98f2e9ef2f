// A listening socket that a test opens, to pass it to a server.

import Glibc
import PerigeeTestKit

@testable import EventLoop

/// A listening TCP socket on a free port.
final class OwnListener {
    let descriptor: Int32
    let port: UInt16

    init(anywhere: Bool = false) throws {
        descriptor = try Listener.bind(
            SocketAddress(host: anywhere ? "0.0.0.0" : "127.0.0.1", port: 0)!, isShared: false)
        guard listen(descriptor, 1024) == 0 else { throw ClientError.system(call: "listen", code: errno) }
        port = SocketAddress.local(of: descriptor).port
    }

    deinit { close(descriptor) }
}

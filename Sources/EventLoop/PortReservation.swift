// A port that is kept until the listeners that share it have bound it: without that, a port that the kernel has picked could be
// somebody else's before the first of them comes.

import Glibc

/// Holds an address for listeners with `isShared`, without listening itself.
public final class PortReservation {
    /// The address, with the port that the kernel picked when 0 was asked for.
    public let address: SocketAddress
    private var descriptor: Int32

    /// Throws when another process listens there, which SO_REUSEPORT alone would let pass unnoticed.
    public init(_ address: SocketAddress) throws(ListenError) {
        if address.port != 0 { _ = try Listener.reservePort(of: address) }
        descriptor = try Listener.bind(address, isShared: true)
        self.address = .local(of: descriptor)
    }

    deinit { release() }

    /// Lets go of the port; a second call does nothing.
    public func release() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
    }
}

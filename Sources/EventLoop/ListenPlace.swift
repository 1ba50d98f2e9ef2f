// The place that a listener listens on: an address that it binds itself, or a socket file that is open already.
//
// Several listeners can share a port. `PortReservation` keeps it until all of them have bound it; otherwise another
// process could take a port that the kernel has picked before the first of them binds it.
//
// Read next: Listener.swift, UnixSocketFile.swift.

import Glibc

/// The place from which a listener accepts.
public enum ListenPlace: Sendable {
    /// An address; shared ones are bound by several listeners.
    case address(SocketAddress, isShared: Bool)
    /// A socket file; shared ones are accepted from by several loops.
    case file(UnixSocketFile, isShared: Bool)
}

extension Listener {
    /// Begins to listen.
    /// - Parameter accepted: takes ownership of a non-blocking descriptor.
    public convenience init(
        _ place: ListenPlace, on loop: EventLoop, accepted: @escaping (Int32, SocketAddress) -> Void
    ) throws(ListenError) {
        switch place {
        case .address(let address, let isShared):
            try self.init(address, isShared: isShared, on: loop, accepted: accepted)
        case .file(let file, let isShared):
            self.init(
                adopting: try file.duplicate(), competes: isShared, file: file, on: loop, accepted: accepted)
        }
    }
}

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

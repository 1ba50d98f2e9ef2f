// What a listener is told to listen on: an address that it binds itself, or a socket file that is open already.

/// Where a listener accepts from.
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

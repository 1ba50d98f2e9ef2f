// The place where clients connect, held from before the first worker starts until the server stops: a port that nobody else may
// take before the workers have bound it, or a socket file that all of them accept from.

import EventLoop

/// The clients' listening address.
final class ClientDoor {
    private enum Kind {
        case port(PortReservation)
        case file(UnixSocketFile)
    }

    private let kind: Kind

    init(_ address: ListenAddress) throws(StartError) {
        do throws(ListenError) {
            if let path = address.unixPath {
                kind = .file(try UnixSocketFile(path: path))
            } else {
                kind = .port(try PortReservation(address.socketAddress))
            }
        } catch {
            throw .listen("\(error)")
        }
    }

    /// What each worker listens on.
    var place: ListenPlace {
        switch kind {
        case .port(let reservation): .address(reservation.address, isShared: true)
        case .file(let file): .file(file, isShared: true)
        }
    }

    /// The address as a client can use it.
    var shown: String {
        switch kind {
        case .port(let reservation): reservation.address.reachable
        case .file(let file): "unix:\(file.path)"
        }
    }

    /// The port in use; 0 for a socket file.
    var port: UInt16 {
        switch kind {
        case .port(let reservation): reservation.address.port
        case .file: 0
        }
    }

    /// Leaves it to the workers, who all listen by now.
    func release() {
        switch kind {
        case .port(let reservation): reservation.release()
        case .file(let file): file.release()
        }
    }

    /// The server stops: nobody is to find the socket file any more.
    func close() {
        if case .file(let file) = kind { file.remove() }
    }
}

extension ListenAddress {
    /// The address as sockets have it; only for hosts and ports.
    var socketAddress: SocketAddress {
        guard let address = SocketAddress(host: host, port: port) else {
            preconditionFailure("the configuration let an address pass that is none: \(self)")
        }
        return address
    }
}

extension SocketAddress {
    /// The address as a client on this machine can use it: a wildcard is reached through the loopback address.
    var reachable: String {
        switch host {
        case "0.0.0.0": "127.0.0.1:\(port)"
        case "::": "[::1]:\(port)"
        default: "\(self)"
        }
    }
}

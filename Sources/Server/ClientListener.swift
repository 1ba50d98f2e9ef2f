// The place where clients connect, held from before the first worker starts until the server stops: a port that nobody else may
// take before the workers have bound it, a socket file that all of them accept from, or sockets that were passed to the process.

import EventLoop
import Gateway
import Settings

/// The clients' listening address.
final class ClientListener {
    private enum Kind {
        case port(PortReservation)
        case file(UnixSocketFile)
        case passed([Int32])
    }

    private let kind: Kind
    /// The passed sockets from which each worker accepts.
    private let shares: [[PassedSocket]]
    /// The socket file to remove in the end; nil when there is none, or when it is another's.
    let file: UnixSocketFile?

    init(_ address: ListenAddress, sockets: PassedSockets, workers: Int) throws(StartError) {
        shares = sockets.shares(of: workers)
        if let first = sockets.clients.first {
            kind = .passed(sockets.clients)
            file = sockets.file(.clients, of: first)
            return
        }
        do throws(ListenError) {
            if let path = address.unixPath {
                kind = .file(try UnixSocketFile(path: path))
            } else {
                kind = .port(try PortReservation(address.socketAddress))
            }
        } catch {
            throw .listen("\(error)")
        }
        if case .file(let opened) = kind { file = opened } else { file = nil }
    }

    /// The place on which each worker listens; nil where sockets were passed.
    var place: ListenPlace? {
        switch kind {
        case .port(let reservation): .address(reservation.address, isShared: true)
        case .file(let file): .file(file, isShared: true)
        case .passed: nil
        }
    }

    /// The address as a client can use it.
    var shown: String {
        switch kind {
        case .port(let reservation): reservation.address.reachable
        case .file(let file): "unix:\(file.path)"
        case .passed(let sockets): PassedSockets.shown(sockets[0])
        }
    }

    /// The port in use; 0 for a socket file.
    var port: UInt16 {
        switch kind {
        case .port(let reservation): reservation.address.port
        case .file: 0
        case .passed(let sockets): SocketAddress.local(of: sockets[0]).port
        }
    }

    /// Leaves it to the workers, which all listen by now.
    func release() {
        switch kind {
        case .port(let reservation): reservation.release()
        case .file(let file): file.release()
        case .passed: break
        }
    }

    /// The sockets that were passed to the process.
    var passed: [Int32] {
        if case .passed(let sockets) = kind { sockets } else { [] }
    }

    /// Begins to accept from passed sockets.
    func accept(on workers: WorkerInboxes) {
        for (worker, share) in shares.enumerated() where !share.isEmpty {
            workers.tell(worker) { [file] in $0.listen(on: share, file: file) }
        }
    }
}

/// The admin API's place in a command line for `curl`.
struct AdminPlace: Sendable {
    /// The URL before `/v1`.
    let url: String
    /// The file that `--unix-socket` names.
    let socket: String?

    /// - Parameter path: that of its socket file, if it has one.
    init(_ address: SocketAddress, path: String?, isSecure: Bool) {
        let scheme = isSecure ? "https" : "http"
        url = "\(scheme)://" + (path == nil ? address.reachable : "localhost")
        socket = path
    }
}

extension PassedSockets {
    /// The file of a passed UNIX socket, which this process has to remove in the end if the one that hands over has made it: a
    /// service manager's stays.
    func file(_ name: Name, of socket: Int32) -> UnixSocketFile? {
        guard ready != nil, let identity = files[name], let path = UnixSocketFile.path(of: socket) else { return nil }
        return UnixSocketFile(inheriting: path, identity)
    }

    /// The address of a passed socket as a client can use it; the configuration's does not count.
    static func shown(_ socket: Int32) -> String {
        UnixSocketFile.path(of: socket).map { "unix:\($0)" } ?? SocketAddress.local(of: socket).reachable
    }
}

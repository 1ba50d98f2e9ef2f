// A listening socket. Each worker has its own on the same port (SO_REUSEPORT), and the kernel spreads the clients. UNIX
// sockets and a socket that was passed to the process have no SO_REUSEPORT, so all workers wait on the one socket. For
// each client the kernel wakes one of them (EPOLLEXCLUSIVE), always the first in its queue, so a worker that has taken
// a client goes to the back of the queue.
//
// When descriptors run out, accepting must neither spin nor leave clients hanging. The listener gives up a descriptor
// that it holds in reserve, takes the client with it, answers 503 and closes. When even that fails, the listener pauses
// for a moment.
//
// Runs on: its loop's thread.
// Read next: ListenPlace.swift, ListenError.swift.

import CLinux
import Glibc
import Synchronization

/// Accepts connections and hands over their descriptors.
public final class Listener: Source {
    /// Accepted in one turn at most, so that a flood of new clients does not starve the others.
    private static let batch = 256
    private static let pause: UInt64 = 100
    /// Clients that may wait to be accepted.
    static let queueLength: Int32 = 4096

    /// Held for every accept of the process. A listener gives up its reserve to refuse a client and then takes it back.
    /// If another listener's client took that descriptor in between, the first listener would have no reserve, and
    /// could not answer its clients.
    private static let gate = Mutex<Void>(())

    /// The address in use, with the port that the kernel picked when 0 was asked for.
    public let address: SocketAddress
    /// Whether the clients speak TLS; then a client is refused with a TLS alert.
    public var speaksTLS = false
    /// Called when another process has shut the socket down, or when the socket fails in another way; once until a
    /// client is accepted again.
    public var failed: (ListenError) -> Void = { _ in }
    private var hasFailed = false
    /// The socket's file, which can be bound again; nil for any other socket.
    private let file: UnixSocketFile?
    /// Connections refused because the process had no descriptor for them.
    public private(set) var refused: UInt64 = 0
    private unowned let loop: EventLoop
    private var reserve: Int32 = -1
    /// Whether other loops wait on the same socket.
    private let competes: Bool
    private let accepted: (Int32, SocketAddress) -> Void

    /// Opens the socket and begins to listen.
    /// - Parameters:
    ///   - isShared: set SO_REUSEPORT, so that several loops listen on the one port.
    ///   - accepted: takes ownership of a non-blocking descriptor.
    public convenience init(
        _ address: SocketAddress, isShared: Bool, on loop: EventLoop,
        accepted: @escaping (Int32, SocketAddress) -> Void
    ) throws(ListenError) {
        let descriptor = try Self.bind(address, isShared: isShared)
        guard listen(descriptor, Self.queueLength) == 0 else {
            let code = errno
            close(descriptor)
            throw ListenError(address: address, code: code)
        }
        self.init(adopting: descriptor, competes: false, on: loop, accepted: accepted)
    }

    /// Takes over a socket that listens already.
    /// - Parameters:
    ///   - descriptor: non-blocking; the listener owns it.
    ///   - competes: whether other loops have a descriptor of the same socket.
    ///   - file: the socket's file, where it has one that this process may bind anew.
    ///   - accepted: takes ownership of a non-blocking descriptor.
    public init(
        adopting descriptor: Int32, competes: Bool, file: UnixSocketFile? = nil, on loop: EventLoop,
        accepted: @escaping (Int32, SocketAddress) -> Void
    ) {
        address = .local(of: descriptor)
        self.loop = loop
        self.competes = competes
        self.file = file
        file?.addListener()
        self.accepted = accepted
        super.init(descriptor: descriptor)
        reserve = Self.openReserve()
        loop.add(self, for: interest)
    }

    private var interest: Readiness { competes ? [.readable, .exclusive] : .readable }

    deinit { if reserve >= 0 { close(reserve) } }

    /// Returns the address that `isShared` listeners can use: the given one, with a port in place of 0. Throws when
    /// another process listens there, which SO_REUSEPORT alone would let pass unnoticed.
    public static func reservePort(of address: SocketAddress) throws(ListenError) -> SocketAddress {
        let descriptor = try bind(address, isShared: false)
        defer { close(descriptor) }
        return .local(of: descriptor)
    }

    static func bind(_ address: SocketAddress, isShared: Bool) throws(ListenError) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.isIPv4 ? AF_INET : AF_INET6, type, 0)
        guard descriptor >= 0 else { throw ListenError(address: address, code: errno) }
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        if isShared { setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &one, 4) }
        // `[::]` takes IPv4 clients too, even if the system's default is another (net.ipv6.bindv6only).
        var no: Int32 = 0
        if !address.isIPv4 { setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &no, 4) }
        let bound = address.withSockaddr { clinux_bind(descriptor, $0, $1) }
        guard bound == 0 else {
            close(descriptor)
            throw ListenError(address: address, code: -bound)
        }
        return descriptor
    }

    public override func ready(_ readiness: Readiness) {
        for _ in 0..<(competes ? 1 : Self.batch) {
            var peer = sockaddr_storage()
            let descriptor = Self.gate.withLock { _ in clinux_accept(self.descriptor, &peer) }
            if descriptor >= 0 {
                hasFailed = false
                var one: Int32 = 1
                if !address.isUnix { setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4) }
                if competes { stepBack() }
                accepted(descriptor, SocketAddress(&peer).unmapped)
                continue
            }
            switch -descriptor {
            case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                // The kernel reports this whether or not a client waits.
                switch Self.gate.withLock({ _ in refuseOne() }) {
                case .refused: continue
                case .nobodyWaits: return
                case .impossible: return pauseAccepting()
                }
            case EINTR, ECONNABORTED, EPROTO, EPERM:
                continue
            case EAGAIN:
                return readiness.isDisjoint(with: .broken) ? () : recover(from: EINVAL)
            default:
                return recover(from: -descriptor)
            }
        }
    }

    private enum Outcome {
        case refused, nobodyWaits, impossible
    }

    /// Uses the reserve to take one waiting client off the queue and turn it away.
    private func refuseOne() -> Outcome {
        guard reserve >= 0 else { return .impossible }
        close(reserve)
        var peer = sockaddr_storage()
        let descriptor = clinux_accept(self.descriptor, &peer)
        if descriptor >= 0 {
            Refusal.turnAway(descriptor, speaksTLS: speaksTLS)
            refused += 1
        }
        reserve = Self.openReserve()
        guard reserve >= 0 else { return .impossible }
        return descriptor >= 0 ? .refused : descriptor == -EAGAIN ? .nobodyWaits : .impossible
    }

    /// epoll reports a socket that was shut down as ready for ever. A TCP socket can listen again, and a socket file is
    /// bound again; if neither works, the listener tries again from time to time.
    private func recover(from code: Int32) {
        if !hasFailed { failed(ListenError(address: address, code: code)) }
        hasFailed = true
        pauseAccepting()
    }

    private func pauseAccepting() {
        loop.suspend(self)
        loop.schedule(after: Self.pause) { [weak self] in
            guard let self, self.descriptor >= 0 else { return }
            if self.hasFailed { self.listenAgain() }
            if self.reserve < 0 { self.reserve = Self.openReserve() }
            if !self.loop.resume(self, for: self.interest) { self.pauseAccepting() }
        }
    }

    /// The descriptor keeps its number, by which others may know it.
    private func listenAgain() {
        guard let file else {
            listen(descriptor, Self.queueLength)
            return
        }
        guard let renewed = try? file.renew(descriptor) else { return }
        clinux_replace(descriptor, renewed)
    }

    /// Lets the loop that waits longest for a client take the next one.
    private func stepBack() {
        loop.suspend(self)
        if !loop.resume(self, for: interest) { pauseAccepting() }
    }

    private static func openReserve() -> Int32 { open("/dev/null", O_RDONLY | O_CLOEXEC) }
}

/// The refusal of a client before a byte of it has been read and before anything is allocated for it.
public enum Refusal {
    private static let answer: StaticString =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    /// The answer to a client that expects a TLS handshake: the fatal alert internal_error (RFC 8446, section 6.2).
    private static let alert: [UInt8] = [21, 3, 3, 0, 2, 2, 80]

    /// Takes ownership of the descriptor of a client that was just accepted, answers 503 with a `Retry-After`, or with
    /// an alert where TLS is spoken, and closes it.
    public static func turnAway(_ descriptor: Int32, speaksTLS: Bool = false) {
        if speaksTLS {
            _ = clinux_send(descriptor, alert, alert.count)
        } else {
            _ = clinux_send(descriptor, answer.utf8Start, answer.utf8CodeUnitCount)
        }
        // Closing over a request that has not been read would reset the connection, and the answer could be lost.
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { unread in
            _ = clinux_receive(descriptor, unread.baseAddress!, unread.count)
        }
        close(descriptor)
    }
}

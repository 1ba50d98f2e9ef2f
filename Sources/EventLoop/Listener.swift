// A listening socket. Each worker has its own on the same port (SO_REUSEPORT), and the kernel spreads the clients. Where that does
// not exist, on UNIX sockets and on a socket that was passed to the process, all workers wait on one socket: the kernel wakes one of
// them for a client (EPOLLEXCLUSIVE), always the first in its queue, so who has taken a client goes to the back.
//
// When descriptors run out, accepting must neither spin nor leave clients hanging: a descriptor held in reserve is given up to
// take the client, tell it "503" and close; when even that fails the listener pauses for a moment.
//
// Runs on: its loop's thread.

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

    /// Held for every accept of the process: the descriptor that one listener gives up to refuse a client must not be taken
    /// by the next client of another, or the first is left without a reserve, and its clients without an answer.
    private static let gate = Mutex<Void>(())

    /// The address in use, with the port that the kernel picked when 0 was asked for.
    public let address: SocketAddress
    /// Whether the clients speak TLS, and are turned away in its words.
    public var speaksTLS = false
    /// Told when another process has shut the socket down, or when it fails in another way; once, until a client is accepted again.
    public var failed: (ListenError) -> Void = { _ in }
    private var hasFailed = false
    /// The socket's file, which can be bound anew; nil for any other socket.
    private let file: UnixSocketFile?
    /// Connections turned away because the process had no descriptor for them.
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

    /// Answers the address that `isShared` listeners can use: the same one, with a port where 0 was asked for. Throws when
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
        // `[::]` takes IPv4 clients too, whatever the system's default is (net.ipv6.bindv6only).
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
                // The kernel says so whether or not anybody waits.
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

    /// A socket that was shut down is reported as ready for ever. TCP can listen on it again, and a socket file is bound anew; where
    /// neither helps, this looks again now and then.
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

// A loop that a test drives by hand, with sockets whose other ends the test holds.

import CLinux
import Glibc
import PerigeeTestKit
import TimeBound

@testable import EventLoop

struct Stage {
    let loop = EventLoop()

    /// A socket on the loop and its peer, over a UNIX socket pair.
    /// - Parameters:
    ///   - keepsWrites: make each write a separate record, so that the peer can count writes.
    ///   - room: the approximate number of bytes that the kernel holds for the peer.
    func pair(keepsWrites: Bool = false, room: Int32? = nil) -> (socket: RecordingSocket, peer: Peer) {
        let pair = SocketPair(keepsWrites: keepsWrites)
        if var room { setsockopt(pair.near, SOL_SOCKET, SO_SNDBUF, &room, 4) }
        let socket = RecordingSocket(descriptor: pair.near, peer: SocketAddress(host: "::1", port: 1)!, on: loop)
        let peer = Peer(descriptor: pair.far)
        socket.otherEnd = peer
        return (socket, peer)
    }

    /// A socket on the loop and its peer, over TCP on the loopback interface.
    func tcpPair() throws -> (socket: RecordingSocket, peer: Peer) {
        var accepted: RecordingSocket?
        let listener = try Listener(SocketAddress(host: "127.0.0.1", port: 0)!, isShared: false, on: loop) { [loop] in
            accepted = RecordingSocket(descriptor: $0, peer: $1, on: loop)
        }
        let peer = Self.connect(to: listener.address)
        turn { accepted != nil }
        loop.remove(listener)
        return (accepted!, peer)
    }

    static func connect(to address: SocketAddress) -> Peer {
        let family = address.isIPv4 ? AF_INET : AF_INET6
        let peer = Peer(descriptor: socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
        let result: Int32
        if address.isIPv4 {
            var target = sockaddr_in()
            target.sin_family = sa_family_t(AF_INET)
            target.sin_port = address.port.bigEndian
            inet_pton(AF_INET, address.host, &target.sin_addr)
            result = withUnsafeBytes(of: &target) { connect(peer.descriptor, $0) }
        } else {
            var target = sockaddr_in6()
            target.sin6_family = sa_family_t(AF_INET6)
            target.sin6_port = address.port.bigEndian
            inet_pton(AF_INET6, address.host, &target.sin6_addr)
            result = withUnsafeBytes(of: &target) { connect(peer.descriptor, $0) }
        }
        precondition(result == 0, "connect to \(address): errno \(-result)")
        return peer
    }

    private static func connect(_ descriptor: Int32, _ target: UnsafeRawBufferPointer) -> Int32 {
        clinux_connect(
            descriptor, target.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(target.count))
    }

    /// Whether the loop, which has nothing to do, sleeps.
    var sleeps: Bool {
        let before = clinux_monotonic_nanoseconds()
        loop.turn(waitingAtMost: 30)
        return clinux_monotonic_nanoseconds() - before >= 29_000_000
    }

    /// One turn that does not wait.
    func turn() { loop.turn(waitingAtMost: 0) }

    /// Enough milliseconds for anything but a fault, on a busy machine too.
    static let patience: UInt64 = TimeBound.isSanitized ? 200_000 : 20_000

    /// Turns until `condition` holds; false if it does not hold within `limit` milliseconds.
    @discardableResult
    func turn(atMost limit: UInt64 = Stage.patience, until condition: () -> Bool) -> Bool {
        let end = clinux_monotonic_nanoseconds() + limit * 1_000_000
        while !condition() {
            let now = clinux_monotonic_nanoseconds()
            guard now < end else { return false }
            loop.turn(waitingAtMost: min((end - now) / 1_000_000 + 1, 2))
        }
        return true
    }
}

extension Stage {
    /// A socket after its TLS handshake, and the client.
    /// - Parameter maxVersion: the newest version of TLS that the client speaks; nil for the newest there is.
    func securePair(maxVersion: Int32? = nil, room: Int32? = nil) -> (socket: RecordingSocket, client: TLSPeer) {
        let (socket, peer) = pair(room: room)
        socket.startTLS(TestCertificates.context)
        let client = TLSPeer(peer, maxVersion: maxVersion)
        let isDone = turn {
            client.peer.send(client.step())
            return client.isEstablished && socket.isWritable
        }
        precondition(isDone, "no TLS handshake")
        return (socket, client)
    }
}

// Who may come in. What can be decided without a byte of the client is decided before there is an object for it; what depends on
// its address waits for the handshake, because a proxy may name the address in it.
//
// Read next: ../Node/ConnectionLimits.swift.

import CLinux
import EventLoop
import Glibc
import Logging
import Proxies
import WebSocket

extension Worker {
    /// Takes in a client that was just accepted, or turns it away.
    func accept(_ descriptor: Int32, _ peer: SocketAddress) {
        statistics.accepted += 1
        guard !proxies.needsHeader || proxies.trusted.trust(peer) else {
            count(.untrustedProxy)
            log.debug("not a trusted proxy", metadata: ["remote": "\(peer)"])
            Glibc.close(descriptor)
            return
        }
        guard let refusal = node.limits.admit(at: clinux_monotonic_nanoseconds()) else {
            let connection = ClientConnection(descriptor: descriptor, peer: peer, worker: self)
            if proxies.needsHeader { connection.expectPreamble() }
            return
        }
        switch refusal {
        case .connections: statistics.refusedForConnections += 1
        case .rate: statistics.refusedForRate += 1
        case .memory: statistics.refusedForMemory += 1
        }
        Refusal.turnAway(descriptor, speaksTLS: node.certificates.clients != nil)
    }

    /// Counts the connection for its address; false when the address has as many as it may. Who is behind a UNIX socket, and not
    /// named by the proxy there, has none.
    func admitAddress(of connection: ClientConnection) -> Bool {
        guard countForAddress(connection) else {
            statistics.refusedForAddress += 1
            return false
        }
        return true
    }

    /// Counts a connection that goes on with plain requests for its address, as a WebSocket would be. One of a trusted proxy
    /// carries the requests of many clients, and is the proxy's own to end.
    func admitPlainRequests(of connection: ClientConnection) -> Bool {
        proxies.trusted.trust(connection.remote) || countForAddress(connection)
    }

    private func countForAddress(_ connection: ClientConnection) -> Bool {
        guard let counts = node.limits.perAddress, !connection.remote.isUnix, !connection.isCountedForAddress else {
            return true
        }
        connection.isCountedForAddress = counts.take(connection.remote.owner)
        return connection.isCountedForAddress
    }

    /// Counts the connection for the user it is now identified as, and no longer for the one before; false, and nothing
    /// changed, when the user has as many as it may.
    func admitUser(_ user: String?, of connection: ClientConnection) -> Bool {
        guard let counts = node.limits.perUser else { return true }
        let old = connection.user.map { Array($0.utf8) }
        let new = user.map { Array($0.utf8) }
        if old == new { return true }
        if let new, !counts.take(new) { return false }
        if let old { counts.release(old) }
        return true
    }

    /// The connection is gone, and counts no more.
    func release(_ connection: ClientConnection) {
        node.limits.leave()
        if connection.isCountedForAddress { node.limits.perAddress?.release(connection.remote.owner) }
    }
}

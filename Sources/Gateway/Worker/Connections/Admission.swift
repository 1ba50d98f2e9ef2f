// Admission of clients. The limits that need no byte of the client are checked before there is an object for it. The limit of its
// address is checked at the handshake, because a proxy may name the address in it.
//
// Runs on: the worker's thread.
// Read next: ListeningSockets.swift, ../../Node/ConnectionLimits.swift.

import CLinux
import EventLoop
import Glibc
import Logging
import Proxies
import WebSocket

/// Decides which clients a worker takes.
final class Admission {
    // The worker owns its admission.
    private unowned(unsafe) let worker: Worker

    init(of worker: Worker) { self.worker = worker }

    private var proxies: ProxyRules { worker.rules.proxies }
    private var limits: ConnectionLimits { worker.node.limits }

    /// Takes in a client that was just accepted, or turns it away.
    func accept(_ descriptor: Int32, _ peer: SocketAddress) {
        worker.statistics.accepted += 1
        guard !proxies.needsHeader || proxies.trusted.trust(peer) else {
            worker.count(.untrustedProxy)
            worker.log.debug("not a trusted proxy", metadata: ["remote": "\(peer)"])
            Glibc.close(descriptor)
            return
        }
        guard let refusal = limits.admit(at: clinux_monotonic_nanoseconds()) else {
            let connection = ClientConnection(descriptor: descriptor, peer: peer, worker: worker)
            if proxies.needsHeader { connection.expectPreamble() }
            return
        }
        switch refusal {
        case .connections: worker.statistics.refusedForConnections += 1
        case .rate: worker.statistics.refusedForRate += 1
        case .memory: worker.statistics.refusedForMemory += 1
        }
        Refusal.turnAway(descriptor, speaksTLS: worker.node.certificates.clients != nil)
    }

    /// Counts the connection for its address; false when the address has as many as it may. A client behind a UNIX socket that no
    /// proxy there has named has no address.
    func admitAddress(of connection: ClientConnection) -> Bool {
        guard countForAddress(connection) else {
            worker.statistics.refusedForAddress += 1
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
        guard let counts = limits.perAddress, !connection.remote.isUnix, !connection.isCountedForAddress else {
            return true
        }
        connection.isCountedForAddress = counts.take(connection.remote.owner)
        return connection.isCountedForAddress
    }

    /// The connection is gone, and counts no more.
    func release(_ connection: ClientConnection) {
        limits.leave()
        if connection.isCountedForAddress { limits.perAddress?.release(connection.remote.owner) }
    }
}

// The connections of one worker: the ways to find them, and their counts. The loop's table has them by slot; connections without a
// socket whose onClose waits are here.
//
// Runs on: the worker's thread. Allocates: when an onClose waits.
// Read next: ClientConnection.swift, ../Shutdown.swift.

import EventLoop
import Scripting

/// A worker's connections.
final class LocalConnections {
    private unowned(unsafe) let loop: EventLoop
    private let node: UInt16
    private let worker: UInt8
    /// Open connections: those whose script has seen onOpen and not yet onClose.
    private(set) var openCount = 0
    /// Clients' sockets in any state.
    private(set) var socketCount = 0
    /// Connections that have ended and whose onClose waits.
    private var lingering: [ConnectionHandle: ClientConnection] = [:]

    init(on loop: EventLoop, node: UInt16, worker: UInt8) {
        self.loop = loop
        self.node = node
        self.worker = worker
    }

    // MARK: Finding

    /// The connection that a script's handle names, nil when it is gone. Scripts get handles of client connections only, and a
    /// slot's generation is never used twice, so a source with this token is one.
    subscript(handle: ConnectionHandle) -> ClientConnection? {
        guard let source = loop.source(Token(slot: handle.slot, generation: handle.generation)) else {
            return lingering.isEmpty ? nil : lingering[handle]
        }
        return unsafeDowncast(source, to: ClientConnection.self)
    }

    /// The connection that an id names, nil when it is not here or gone.
    subscript(id: ConnectionID) -> ClientConnection? {
        guard id.node == node, id.worker == worker else { return nil }
        guard let connection = self[slot: Int(id.slot)] else { return nil }
        return connection.secret == id.secret ? connection : nil
    }

    /// The connection in a slot of the loop's table.
    subscript(slot slot: Int) -> ClientConnection? { loop.source(at: slot) as? ClientConnection }

    /// The slots of the loop's table.
    var slotCount: Int { loop.slotCount }

    /// Calls `body` with every connection that has a socket.
    func forEach(_ body: (ClientConnection) -> Void) {
        for slot in 0..<slotCount { if let connection = self[slot: slot] { body(connection) } }
    }

    /// Calls `body` with every connection that is open.
    func forEachOpen(_ body: (ClientConnection) -> Void) {
        forEach { if $0.phase == .open { body($0) } }
    }

    /// The next open connection in the order of slots, beginning with one and going round; nil when there is none in any.
    func nextOpen(from first: Int) -> (slot: Int, connection: ClientConnection)? {
        let count = slotCount
        for step in 0..<count {
            let slot = (first + step) % count
            if let connection = self[slot: slot], connection.phase == .open { return (slot, connection) }
        }
        return nil
    }

    /// Whether a connection fits.
    func contains(where fits: (ClientConnection) -> Bool) -> Bool {
        (0..<slotCount).contains { self[slot: $0].map(fits) ?? false }
    }

    // MARK: Counting

    /// Whether no socket is left, and no connection whose onClose waits.
    var isEmpty: Bool { socketCount == 0 && lingering.isEmpty }

    /// A client has a socket.
    func added() { socketCount += 1 }

    /// A client's socket is gone.
    func removed() { socketCount -= 1 }

    /// The scripts are about to see onOpen.
    func opened() { openCount += 1 }

    /// The scripts are about to see onClose.
    func ended() { openCount -= 1 }

    /// The connection's onClose waits: scripts still find it.
    func beginLingering(_ connection: ClientConnection) { lingering[connection.handle] = connection }

    /// The connection's onClose has ended.
    func endLingering(_ connection: ClientConnection) { lingering[connection.handle] = nil }

    func isLingering(_ connection: ClientConnection) -> Bool { lingering[connection.handle] != nil }
}

// The sockets that a worker accepts clients from: opened by itself, or passed to the process.
//
// Runs on: the worker's thread.
// Read next: Admission.swift, EventLoop/Listener.swift.

import EventLoop
import Logging

/// A listening socket that was passed to the process, and that a worker accepts from.
package struct PassedSocket: Sendable, Equatable {
    package let descriptor: Int32
    /// Whether other workers wait on the same socket.
    package let isContested: Bool

    package init(_ descriptor: Int32, isContested: Bool) {
        self.descriptor = descriptor
        self.isContested = isContested
    }
}

/// A worker's listening sockets.
final class ListeningSockets {
    private unowned let loop: EventLoop
    private let certificates: LiveCertificates
    private let log: Logger
    private let accepted: (Int32, SocketAddress) -> Void
    private var listeners: [Listener] = []
    /// Connections that closed listeners have refused.
    private var refusedBefore: UInt64 = 0

    /// - Parameter accepted: takes ownership of the descriptor of a client.
    init(
        on loop: EventLoop, _ certificates: LiveCertificates, _ log: Logger,
        accepted: @escaping (Int32, SocketAddress) -> Void
    ) {
        self.loop = loop
        self.certificates = certificates
        self.log = log
        self.accepted = accepted
    }

    /// Connections refused because the process had no descriptor for them.
    var refused: UInt64 { listeners.reduce(refusedBefore) { $0 + $1.refused } }

    var descriptors: [Int32] { listeners.map(\.descriptor) }

    /// Opens a socket.
    func open(_ place: ListenPlace) throws(ListenError) { add(try Listener(place, on: loop, accepted: accepted)) }

    /// Takes over sockets that were passed to the process.
    /// - Parameter file: the file of the one UNIX socket among them.
    func adopt(_ sockets: [PassedSocket], file: UnixSocketFile?) {
        for socket in sockets {
            add(
                Listener(
                    adopting: socket.descriptor, competes: socket.isContested, file: file, on: loop, accepted: accepted)
            )
        }
    }

    private func add(_ listener: Listener) {
        listener.speaksTLS = certificates.clients != nil
        listener.failed = { [log] in log.error("\($0)") }
        listeners.append(listener)
    }

    /// Accepts no more clients.
    func close() {
        refusedBefore = refused
        for listener in listeners { loop.remove(listener) }
        listeners = []
    }
}

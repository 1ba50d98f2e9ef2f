// Who may come in: what the workers count together about clients. Touched when a connection comes and when it goes, never for a
// message.
//
// Runs on: every worker's thread, and the admin thread, which watches the memory.
// Read next: ../Worker/Worker+Admission.swift.

import Settings
import Synchronization

/// The limits that hold for all workers together.
package final class ConnectionLimits: Sendable {
    /// Why a client is turned away at the door.
    enum Refusal {
        case connections, memory, rate
    }

    /// Connections of one address; nil for any number.
    let perAddress: SharedCounts<UInt64>?
    /// Connections of one user, by the bytes of the name; nil for any number.
    let perUser: SharedCounts<[UInt8]>?
    private let handshakes: SharedRate?
    private let limit: Int
    private let count = Atomic<Int>(0)
    private let isMemoryTight = Atomic<Bool>(false)

    init(_ limits: Configuration.Limits) {
        limit = limits.connections
        perAddress = limits.connectionsPerIP > 0 ? SharedCounts(limit: limits.connectionsPerIP) : nil
        perUser = limits.connectionsPerUser > 0 ? SharedCounts(limit: limits.connectionsPerUser) : nil
        handshakes = limits.handshakesPerSecond > 0 ? SharedRate(perSecond: limits.handshakesPerSecond) : nil
    }

    /// Counts one more connection, or says why not.
    /// - Parameter now: nanoseconds of the monotonic clock.
    func admit(at now: @autoclosure () -> UInt64) -> Refusal? {
        if isMemoryTight.load(ordering: .relaxed) { return .memory }
        guard count.add(1, ordering: .relaxed).newValue <= limit else {
            leave()
            return .connections
        }
        guard handshakes?.take(at: now()) ?? true else {
            leave()
            return .rate
        }
        return nil
    }

    /// A connection that was admitted is gone.
    func leave() { count.subtract(1, ordering: .relaxed) }

    /// Whether the process takes more memory than it may.
    package var memoryIsTight: Bool {
        get { isMemoryTight.load(ordering: .relaxed) }
        set { isMemoryTight.store(newValue, ordering: .relaxed) }
    }
}

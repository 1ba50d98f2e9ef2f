// The worker's end: it accepts nobody more, closes its connections in batches spread over the window, and reports when they are
// gone. What was queued for a client leaves before its close frame, and a client that reads has the grace time for it.

import EventLoop
import HTTP1
import Logging
import Scripting
import WebSocket

extension Worker {
    /// How far a drain has come.
    struct DrainProgress {
        var drain: Drain
        /// How many are closed in one tick.
        var batch: Int
        /// When the last batch is due, by the loop's clock.
        var end: UInt64
        /// The slot at which the next batch begins.
        var cursor = 0
    }

    var isDraining: Bool { draining != nil }

    /// Begins to drain, or ends sooner what has begun.
    package func drain(_ drain: Drain) {
        guard !isStopping else { return }
        guard draining == nil else { return hasten(drain) }
        draining = DrainProgress(drain: drain, batch: drain.batch(of: openCount), end: loop.now + drain.window)
        stopListening()
        turnAwayHandshakes(drain)
        closeNextBatch()
        scheduleGrace(of: drain)
        reportIfDrained()
    }

    /// A second order counts where it ends the drain sooner.
    private func hasten(_ drain: Drain) {
        let end = loop.now + drain.window
        guard let progress = draining, end < progress.end else { return }
        draining?.drain = drain
        draining?.batch = drain.batch(of: openCount)
        draining?.end = end
        scheduleGrace(of: drain)
    }

    private func scheduleGrace(of drain: Drain) {
        let handshakes = drain.isHandover ? timeouts.handshake : 0
        loop.schedule(after: drain.window + handshakes + timeouts.stop) { [unowned self] in graceIsOver() }
    }

    /// Says goodbye to the next few, and comes back for the others.
    private func closeNextBatch() {
        guard let progress = draining, !isStopping else { return }
        for _ in 0..<progress.batch {
            guard let connection = nextOpenConnection() else { break }
            connection.close(.serviceRestart, reason: progress.drain.reason(random: random.next()))
        }
        if isAnyoneLeft {
            loop.schedule(after: Drain.tick) { [unowned self] in closeNextBatch() }
        } else {
            loop.schedule(after: timeouts.stop) { [unowned self] in graceIsOver() }
        }
    }

    /// The next open connection in the order of slots; nil when there is none in any.
    private func nextOpenConnection() -> ClientConnection? {
        let count = loop.slotCount
        let first = draining?.cursor ?? 0
        for step in 0..<count {
            let slot = (first + step) % count
            guard let connection = loop.source(at: slot) as? ClientConnection, connection.phase == .open else {
                continue
            }
            draining?.cursor = slot + 1
            return connection
        }
        return nil
    }

    /// Whether anybody has not been said goodbye to, or is about to open.
    private var isAnyoneLeft: Bool {
        (0..<loop.slotCount).contains { slot in
            guard let connection = loop.source(at: slot) as? ClientConnection else { return false }
            return connection.phase == .open || (connection.phase == .handshake && connection.isWritable)
        }
    }

    /// Who has connected and not opened yet is told to come back. Where another process serves already, it came through the same
    /// door as that one's clients, and is served here.
    private func turnAwayHandshakes(_ drain: Drain) {
        for slot in 0..<loop.slotCount {
            guard let connection = loop.source(at: slot) as? ClientConnection, connection.phase == .handshake,
                connection.isWritable
            else { continue }
            if connection.awaitsAnotherRequest {
                connection.finish(within: timeouts.close)
            } else if !drain.isHandover {
                connection.turnAway(retryAfter: drain.retryAfter(random: random.next()))
            }
        }
    }

    private func graceIsOver() {
        guard connectionCount > 0 || !lingering.isEmpty, !isStopping else { return }
        log.warning("grace time is over", metadata: ["connections": "\(connectionCount)"])
        cutConnections()
        cancelAllWaits()
    }

    private func reportIfDrained() {
        if isDraining && connectionCount == 0 && lingering.isEmpty { node.lifecycle.post(.drained(worker: index)) }
    }

    // MARK: The end

    /// Cuts whoever is still connected, and ends the loop.
    package func stop() {
        guard !isStopping else { return }
        isStopping = true
        stopListening()
        if connectionCount == 0 { end() } else { cutConnections() }
    }

    /// A socket is gone; what a refused handshake may have left behind goes with it.
    func forget(_ connection: ClientConnection) {
        if lingering[connection.handle] == nil { engine.forget(connection.handle) }
        release(connection)
        connectionCount -= 1
        if connectionCount == 0 { lastIsGone() }
    }

    /// No connection is left, or none whose onClose waits.
    func lastIsGone() {
        if isStopping { end() } else { reportIfDrained() }
    }

    /// Nobody is left: onStop is the scripts' last event.
    private func end() {
        guard !hasEnded else { return }
        hasEnded = true
        abandonQuestions()
        endWalks()
        endAllWaits()
        for error in engine.stop() { note(error, on: nil) }
        node.lifecycle.post(.left(.worker(index)))
        loop.stop()
    }

    private func cutConnections() {
        for slot in 0..<loop.slotCount { (loop.source(at: slot) as? ClientConnection)?.abort() }
    }

    private func stopListening() {
        for listener in listeners {
            statistics.refusedForDescriptors += listener.refused
            loop.remove(listener)
        }
        listeners = []
    }
}

// The end of a worker. It accepts no more clients, closes its connections in batches spread over the window, and reports when
// they are gone. Messages that are queued for a client leave before its Close frame, and a client that reads has the grace time
// for them.
//
// Runs on: the worker's thread.
// Read next: Drain.swift, Connections/LocalConnections.swift.

import EventLoop
import Logging
import Scripting
import Settings
import WebSocket

/// A worker's drain, its stop, and its end.
final class Shutdown {
    /// How far a drain has come.
    private struct Progress {
        var drain: Drain
        /// How many are closed in one tick.
        var batch: Int
        /// When the last batch is due, by the loop's clock.
        var end: UInt64
        /// The slot at which the next batch begins.
        var cursor = 0
    }

    // The worker owns its shutdown.
    private unowned(unsafe) let worker: Worker
    /// Milliseconds from the last Close frame until the connections that are left are cut.
    private let grace: UInt64
    /// Set from the beginning of a drain on.
    private var progress: Progress?
    /// Whether the loop ends as soon as the last socket is gone.
    private var isStopping = false
    /// Whether onStop has run.
    private(set) var hasEnded = false

    init(of worker: Worker) {
        self.worker = worker
        grace = worker.node.configuration.timeouts.stop.milliseconds
    }

    // MARK: The drain

    var isDraining: Bool { progress != nil }

    /// Begins to drain, or hastens the present drain.
    func drain(_ drain: Drain) {
        guard !isStopping else { return }
        guard progress == nil else { return hasten(drain) }
        progress = Progress(
            drain: drain, batch: drain.batch(of: worker.connections.openCount), end: worker.loop.now + drain.window)
        worker.sockets.close()
        turnAwayHandshakes(drain)
        closeNextBatch()
        scheduleGrace(of: drain)
        reportIfDrained()
    }

    /// A second order counts where it ends the drain sooner.
    private func hasten(_ drain: Drain) {
        let end = worker.loop.now + drain.window
        guard let progress, end < progress.end else { return }
        self.progress?.drain = drain
        self.progress?.batch = drain.batch(of: worker.connections.openCount)
        self.progress?.end = end
        scheduleGrace(of: drain)
    }

    private func scheduleGrace(of drain: Drain) {
        let handshakes = drain.isHandover ? worker.rules.handshakeTimeout : 0
        worker.loop.schedule(after: drain.window + handshakes + grace) { [unowned self] in graceIsOver() }
    }

    /// Closes the next batch of connections, and schedules the one after it.
    private func closeNextBatch() {
        guard let progress, !isStopping else { return }
        for _ in 0..<progress.batch {
            guard let (slot, connection) = worker.connections.nextOpen(from: self.progress?.cursor ?? 0) else { break }
            self.progress?.cursor = slot + 1
            connection.close(.serviceRestart, reason: progress.drain.reason(random: worker.random.next()))
        }
        if hasMoreToClose {
            worker.loop.schedule(after: Drain.tick) { [unowned self] in closeNextBatch() }
        } else {
            worker.loop.schedule(after: grace) { [unowned self] in graceIsOver() }
        }
    }

    /// Whether a connection is open still, or about to open.
    private var hasMoreToClose: Bool {
        worker.connections.contains { $0.phase == .open || ($0.phase == .handshake && $0.isWritable) }
    }

    /// Tells clients that have connected and not opened yet to come back. In a handover they are served: they came through the same
    /// listening socket as the clients of the new process.
    private func turnAwayHandshakes(_ drain: Drain) {
        worker.connections.forEach { connection in
            guard connection.phase == .handshake, connection.isWritable else { return }
            if connection.handshake?.awaitsAnotherRequest == true {
                connection.finish(within: worker.rules.closeTimeout)
            } else if !drain.isHandover {
                connection.handshake?.turnAway(retryAfter: drain.retryAfter(random: worker.random.next()))
            }
        }
    }

    private func graceIsOver() {
        guard !worker.connections.isEmpty, !isStopping else { return }
        worker.log.warning(
            "grace time is over", metadata: ["connections": "\(worker.connections.socketCount)"])
        cutConnections()
        worker.resumptions.cancelAll()
    }

    private func reportIfDrained() {
        guard isDraining, worker.connections.isEmpty else { return }
        worker.node.lifecycle.post(.drained(worker: worker.index))
    }

    // MARK: The end

    /// Cuts the connections that are left, and ends the loop.
    func stop() {
        guard !isStopping else { return }
        isStopping = true
        worker.sockets.close()
        if worker.connections.socketCount == 0 { end() } else { cutConnections() }
    }

    /// No connection is left, or none but those whose onClose waits.
    func lastIsGone() {
        if isStopping { end() } else { reportIfDrained() }
    }

    /// Ends the worker, which has no connections any more. onStop is the scripts' last event.
    private func end() {
        guard !hasEnded else { return }
        hasEnded = true
        worker.questions.abandon()
        worker.walks.finish()
        worker.resumptions.endAll()
        for error in worker.engine.stop() { worker.reports.note(error, on: nil) }
        worker.node.lifecycle.post(.left(.worker(worker.index)))
        worker.loop.stop()
    }

    private func cutConnections() { worker.connections.forEach { $0.abort() } }
}

// Reports of what goes wrong in scripts: errors and slow handlers, for the log, for the admin API's list of errors, and counted.
//
// Runs on: the worker's thread.
// Read next: ../../Node/ScriptErrorLog.swift.

import EventLoop
import Glibc
import Logging
import Scripting
import Settings

/// A worker's reports about its scripts.
final class ScriptReports {
    private let node: Node
    private let log: Logger
    private unowned(unsafe) let loop: EventLoop
    /// Errors of scripts.
    private(set) var errors: UInt64 = 0
    /// Handlers over `scripts.warning`.
    private(set) var slowHandlers: UInt64 = 0
    /// Handlers that the watchdog killed within the last minute.
    private var kills = RecentCount()
    /// The places where handlers took long.
    private var slowPlaces = SlowPlaces()

    init(_ node: Node, _ log: Logger, on loop: EventLoop) {
        self.node = node
        self.log = log
        self.loop = loop
    }

    /// Handlers that the watchdog killed within the last minute.
    var recentKills: Int { kills.count(at: loop.now) }

    /// A mistake of the script: counted, and told to the log with all that helps to find it.
    func note(_ error: ScriptError, on connection: ClientConnection?) {
        guard error.kill != .closed else { return log.debug("\(error.summary)", metadata: error.metadata) }
        errors += 1
        if error.kill == .budget { kills.note(at: loop.now) }
        node.scriptErrors.note(error, connection: connection?.id.text, now: time(nil))
        var metadata = error.metadata
        if let connection {
            metadata["connection"] = "\(connection.id.text)"
            metadata["path"] = "\(connection.request.path)"
        }
        log.error("\(error.summary)", metadata: metadata)
    }

    /// A handler has used more CPU than `scripts.warning`. The log hears of each place once in a while.
    func noteSlow(traceback: String, version: @autoclosure () -> UInt64) {
        slowHandlers += 1
        let place = String(traceback.prefix { $0 != "\n" })
        guard slowPlaces.isDue(place, at: loop.now) else { return }
        log.warning(
            "a handler took more than \(node.configuration.scripts.warning.milliseconds) ms of CPU; it was at \(place)",
            metadata: ["traceback": "\(traceback)", "version": "\(version())"])
    }
}

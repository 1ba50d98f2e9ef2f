// Reports about scripts: errors and slow handlers, for the log, for the admin API's list of errors, and for the counters.
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

    /// Counts a mistake of a script, and writes it to the log with its place, its traceback and its connection.
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

/// The places where handlers were slow, and when each was last told to the log.
struct SlowPlaces {
    /// Milliseconds between two reports of the same place.
    private static let interval: UInt64 = 60_000
    private static let limit = 1_000

    private var reports: [String: UInt64] = [:]

    /// Whether a handler that was slow at this place is to be told now.
    mutating func isDue(_ place: String, at now: UInt64) -> Bool {
        if let last = reports[place], now < last + Self.interval { return false }
        if reports.count == Self.limit { reports = [:] }
        reports[place] = now
        return true
    }
}

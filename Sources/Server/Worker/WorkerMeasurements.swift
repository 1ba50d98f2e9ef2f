// A worker's figures at one moment, for the admin API: its counters, and those and the metrics of its scripts.
//
// Runs on: the worker's thread; the figures go to others as copies.
// Read next: WorkerStatistics.swift.

import EventLoop
import HTTPClient
import PubSub
import Scripting
import WebSocket

/// One script's counters on one worker.
struct ScriptStatistics: Sendable {
    var name: String
    /// By handler name: calls and errors.
    var handlers: [(name: String, calls: UInt64, errors: UInt64)]
}

/// A worker's measurements at one moment.
struct WorkerMeasurements: Sendable {
    let statistics: WorkerStatistics
    let scripts: [ScriptStatistics]
    let metrics: [ScriptMetric]
    /// Handlers that the watchdog killed within the last minute.
    let recentKills: Int

    init(of worker: Worker) {
        statistics = WorkerStatistics(of: worker)
        scripts = ScriptStatistics.all(of: worker)
        metrics = worker.engine.metrics
        recentKills = worker.recentKills.count(at: worker.loop.now)
    }
}

extension ScriptStatistics {
    static func all(of worker: Worker) -> [ScriptStatistics] {
        worker.engine.handlerCounts.map { script in
            ScriptStatistics(
                name: script.script,
                handlers: script.handlers.map { ($0.handler.name, $0.count.calls, $0.count.errors) })
        }
    }
}

extension WorkerStatistics {
    /// The counters, and the gauges as they are now. The work does not grow with the number of connections.
    init(of worker: Worker) {
        self = worker.statistics
        connections = worker.openCount
        subscriptions = worker.hub.subscriptionCount
        refusedForDescriptors += worker.listeners.reduce(0) { $0 + $1.refused }
        luaMemory = worker.engine.memoryInUse
        let http = worker.http.counts
        httpRequests = http.requests
        httpFailed = http.failed
        httpTimedOut = http.timedOut
        httpRefused = http.refused
        httpRunning = http.running
        httpWaiting = http.waiting
        httpLookups = http.lookups
        handlersKilled = worker.engine.kills
        handlersWaiting = worker.engine.waitingCount
        backlog = worker.backlog
        turnSlicesUsed = worker.turns.slicesUsed
        (timersRefused, waitsRefused, spawnsRefused) = worker.engine.refusedCounts
        messagesDeflated = worker.compression?.deflated ?? 0
        messagesInflated = worker.compression?.inflated ?? 0
        metricValuesRefused = worker.engine.metricsRefused
    }
}

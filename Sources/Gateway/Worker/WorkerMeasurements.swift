// A worker's figures at one moment, for the admin API: its counters, and those and the metrics of its scripts.
//
// Runs on: the worker's thread; the figures go to others as copies.
// Read next: ../Statistics/WorkerStatistics.swift.

import EventLoop
import HTTPClient
import PubSub
package import Scripting
import WebSocket

/// One script's counters on one worker.
package struct ScriptStatistics: Sendable {
    package var name: String
    /// By handler name: calls and errors.
    package var handlers: [(name: String, calls: UInt64, errors: UInt64)]
}

/// A worker's measurements at one moment.
package struct WorkerMeasurements: Sendable {
    package let statistics: WorkerStatistics
    package let scripts: [ScriptStatistics]
    package let metrics: [ScriptMetric]
    /// Handlers that the watchdog killed within the last minute.
    package let recentKills: Int

    package init(of worker: Worker) {
        statistics = WorkerStatistics(of: worker)
        scripts = ScriptStatistics.all(of: worker)
        metrics = worker.engine.metrics
        recentKills = worker.reports.recentKills
    }
}

extension ScriptStatistics {
    package static func all(of worker: Worker) -> [ScriptStatistics] {
        worker.engine.handlerCounts.map { script in
            ScriptStatistics(
                name: script.script,
                handlers: script.handlers.map { ($0.handler.name, $0.count.calls, $0.count.errors) })
        }
    }
}

extension WorkerStatistics {
    /// The counters, and the gauges as they are now. The work does not grow with the number of connections.
    package init(of worker: Worker) {
        self = worker.statistics
        connections = worker.connections.openCount
        subscriptions = worker.hub.subscriptionCount
        refusedForDescriptors = worker.sockets.refused
        deliveriesDropped += worker.walks.dropped
        pingsSent = worker.keepalive.pingsSent
        scriptErrors = worker.reports.errors
        handlersSlow = worker.reports.slowHandlers
        reloadPauses = worker.reload.pauses
        migrationPauses = worker.reload.migrationPauses
        luaMemory = worker.engine.memoryInUse
        let http = worker.requests.counts
        httpRequests = http.requests
        httpFailed = http.failed
        httpTimedOut = http.timedOut
        httpRefused = http.refused
        httpRunning = http.running
        httpWaiting = http.waiting
        httpLookups = http.lookups
        handlersKilled = worker.engine.kills
        handlersWaiting = worker.engine.waitingCount
        backlog = worker.rotation.backlog
        turnSlicesUsed = worker.turns.slicesUsed
        (timersRefused, waitsRefused, spawnsRefused) = worker.engine.refusedCounts
        messagesDeflated = worker.compression?.deflated ?? 0
        messagesInflated = worker.compression?.inflated ?? 0
        metricValuesRefused = worker.engine.metricsRefused
    }
}

// What a worker knows about itself, its scripts and what they measured.

import Scripting

/// A worker's measurements at one moment.
struct WorkerMeasurements: Sendable {
    var statistics = WorkerStatistics()
    var scripts: [ScriptStatistics] = []
    var metrics: [ScriptMetric] = []
    /// Values of `metrics` that were dropped because there were too many series.
    var metricsRefused: UInt64 = 0
    /// Handlers that the watchdog killed within the last minute.
    var recentKills = 0
}

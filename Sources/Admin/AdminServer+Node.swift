// The node through the API: `GET /v1/node`, `GET /metrics` for Prometheus and `GET /readyz` for load balancers. All of them ask
// every worker for its figures.
//
// Runs on: the admin thread; the closures of questions run on the workers' threads.
// Read next: Metrics/NodeFigures.swift, Gateway/Statistics/WorkerStatistics.swift, Metrics/CounterOutput.swift.

import Gateway
import Glibc
import HTTP1
import JSON
import Scripting
import Settings

extension AdminServer {
    /// `GET /v1/node`.
    func showNode(_ call: AdminCall) {
        questions.askAll {
            WorkerStatistics(of: $0)
        } then: { [unowned self] answers in
            let sum = answers.all.reduce(into: WorkerStatistics()) { $0 += $1 }
            let silent = node.workers.count - answers.all.count
            call.answer(
                200,
                JSONOutput.object { members in
                    members.add("name", "perigee")
                    members.add("version", PerigeeVersion.text)
                    members.add("lua", ScriptEngine.luaVersion)
                    members.add("node", String(node.number, radix: 36))
                    members.add("pid", Int(getpid()))
                    members.add("state", isDraining ? "draining" : "running")
                    members.add("uptimeSeconds", time(nil) - node.startedAt)
                    members.addJSON("connectionsPerWorker", "\(answers.all.map(\.connections))")
                    members.add(NodeFigures.counters, of: NodeFigures(of: self, silent: silent))
                    members.add(WorkerStatistics.counters, of: sum)
                    for record in WorkerStatistics.pauses { members.add(record.json, sum[keyPath: record.path]) }
                    if !answers.isComplete { members.add("complete", false) }
                })
        }
    }

    // MARK: Prometheus

    /// `GET /metrics`.
    func showMetrics(_ call: AdminCall) {
        measure { [unowned self] workers, silent in
            var page = MetricsText()
            page.family("perigee_info", .gauge, "The version that runs.")
            let version = MetricsText.escaped(PerigeeVersion.text)
            page.sample("perigee_info", labels: "lua=\"\(ScriptEngine.luaVersion)\",version=\"\(version)\"", 1)
            page.add(NodeFigures.counters, of: NodeFigures(of: self, silent: silent.count))
            let sum = workers.reduce(into: WorkerStatistics()) { $0 += $1.statistics }
            page.add(WorkerStatistics.counters, of: sum)
            Self.addHandlers(workers.flatMap(\.scripts), to: &page)
            Self.addScriptMetrics(workers.map(\.metrics), to: &page)
            call.answer(
                Response(
                    status: 200, fields: [("Content-Type", MetricsText.contentType)], body: Array(page.text.utf8)))
        }
    }

    private static func addHandlers(_ scripts: [ScriptStatistics], to page: inout MetricsText) {
        var counts: [String: (calls: UInt64, errors: UInt64)] = [:]
        for script in scripts {
            for handler in script.handlers {
                let labels = "handler=\"\(handler.name)\",script=\"\(MetricsText.escaped(script.name))\""
                counts[labels, default: (0, 0)].calls += handler.calls
                counts[labels, default: (0, 0)].errors += handler.errors
            }
        }
        let sorted = counts.sorted { $0.key < $1.key }
        page.family("perigee_handler_calls_total", .counter, "Calls of scripts' handlers.")
        for (labels, count) in sorted {
            page.sample("perigee_handler_calls_total", labels: labels, Double(count.calls))
        }
        page.family("perigee_handler_errors_total", .counter, "Calls of scripts' handlers that failed.")
        for (labels, count) in sorted {
            page.sample("perigee_handler_errors_total", labels: labels, Double(count.errors))
        }
    }

    private static func addScriptMetrics(_ workers: [[ScriptMetric]], to page: inout MetricsText) {
        var merge = MetricsMerge()
        for metrics in workers { merge.add(metrics) }
        let metrics = merge.sorted
        page.add("perigee_metric_series", .gauge, "Series that scripts measure.", metrics.count)
        page.add("perigee_metric_conflicts", .gauge, "Series that workers measure as different kinds.", merge.conflicts)
        page.add(metrics)
    }

    // MARK: Readiness

    /// `GET /readyz`: 503 while the server drains or has no scripts yet. A server that is only degraded stays 200, or one bad script
    /// would take every node out of its load balancer at once.
    func showReadiness(_ call: AdminCall) {
        measure { [unowned self] workers, silent in
            let isLoaded = node.liveVersion > 0
            var reasons = silent.map { "worker \($0) does not answer" }
            let kills = workers.reduce(0) { $0 + $1.recentKills }
            let limit = node.configuration.scripts.degradedKills
            if limit > 0, kills >= limit {
                reasons.append("\(kills) handlers were killed within the last minute")
            }
            if node.limits.memoryIsTight { reasons.append("memory is tight") }
            if isDraining { reasons = ["the server drains"] }
            if !isLoaded { reasons = ["no scripts are loaded yet"] }
            let status = isDraining ? "draining" : !isLoaded ? "starting" : reasons.isEmpty ? "ready" : "degraded"
            call.answer(
                isDraining || !isLoaded ? 503 : 200,
                JSONOutput.object {
                    $0.add("status", status)
                    $0.add("reasons", reasons)
                    $0.add("version", node.liveVersion)
                })
        }
    }
}

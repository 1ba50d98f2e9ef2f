// The node through the API: `GET /v1/node`, `GET /metrics` for Prometheus and `GET /readyz` for load balancers. All of them ask
// every worker how it is.
//
// Runs on: the admin thread.

import EventLoop
import Glibc
import HTTP1
import PubSub
import Scripting
import WebSocket

extension AdminServer {
// MARK: The node

    func showNode(_ call: AdminCall) {
        questions.askAll { WorkerStatistics(of: $0) } then: { [unowned self] answers in
            let sum = answers.all.reduce(into: WorkerStatistics()) { $0 += $1 }
            let perWorker = answers.all.map(\.connections)
            call.answer(
                200,
                JSONOutput.object { members in
                    members.add("name", "perigee")
                    members.add("version", PerigeeVersion.text)
                    members.add("lua", ScriptEngine.luaVersion)
                    members.add("node", String(node.number, radix: 36))
                    members.add("pid", Int(getpid()))
                    members.add("state", isDraining ? "draining" : "running")
                    members.add("startedAt", node.startedAt)
                    members.add("uptimeSeconds", time(nil) - node.startedAt)
                    members.add("workers", node.workers.count)
                    members.addJSON("connectionsPerWorker", "\(perWorker)")
                    members.add("channels", node.broker.channelCount)
                    members.add("scriptVersion", node.liveScripts.version)
                    members.add("memoryBytes", memory.residentBytes)
                    members.add("memoryIsTight", node.limits.memoryIsTight)
                    members.add("handlersStuck", node.stuckHandlers.total)
                    members.add("adminRequestsTimedOut", requestsTimedOutCount)
                    members.add("logEntriesDropped", node.logEntriesDropped)
                    sum.write(to: &members)
                    if !answers.isComplete { members.add("complete", false) }
                })
        }
    }

    // MARK: Prometheus

    func showMetrics(_ call: AdminCall) {
        measure { [unowned self] workers, silent in
            var page = MetricsText()
            describeNode(workers, silent, in: &page)
            workers.reduce(into: WorkerStatistics()) { $0 += $1.statistics }.write(to: &page)
            describeScripts(workers, in: &page)
            call.answer(
                Response(
                    status: 200, fields: [("Content-Type", MetricsText.contentType)], body: Array(page.text.utf8)))
        }
    }

    private func describeNode(_ workers: [WorkerMeasurements], _ silent: [Int], in page: inout MetricsText) {
        page.family("perigee_info", .gauge, "The version that runs.")
        let version = MetricsText.escaped(PerigeeVersion.text)
        page.sample("perigee_info", labels: "lua=\"\(ScriptEngine.luaVersion)\",version=\"\(version)\"", 1)
        page.add("perigee_start_time_seconds", .gauge, "Seconds since 1970 at start.", node.startedAt)
        page.add("perigee_draining", .gauge, "1 while the server drains.", isDraining ? 1 : 0)
        page.add("perigee_workers", .gauge, "Worker threads.", node.workers.count)
        page.add("perigee_workers_silent", .gauge, "Workers that did not answer within a second.", silent.count)
        page.add("perigee_memory_bytes", .gauge, "Resident memory of the process.", memory.residentBytes)
        page.add(
            "perigee_memory_tight", .gauge, "1 while new connections are refused for want of memory.",
            node.limits.memoryIsTight ? 1 : 0)
        page.add("perigee_channels", .gauge, "Channels with a subscriber.", node.broker.channelCount)
        page.add("perigee_kv_bytes", .gauge, "Bytes that kv holds.", node.store.bytesInUse)
        page.add("perigee_kv_keys", .gauge, "Keys that kv holds.", node.store.count)
        page.add(
            "perigee_log_entries_dropped_total", .counter,
            "Log entries that found the queue full, or could not be written.",
            node.logEntriesDropped)
        page.add(
            "perigee_admin_requests_timed_out_total", .counter, "Requests to the admin API answered 408.",
            requestsTimedOutCount)
    }

    private func describeScripts(_ workers: [WorkerMeasurements], in page: inout MetricsText) {
        page.add(
            "perigee_handlers_stuck_total", .counter, "Handlers that did not end although they were killed.",
            node.stuckHandlers.total)
        page.add("perigee_script_version", .gauge, "The version of the scripts that is live.", node.liveVersion)
        var merge = MetricsMerge()
        var counts: [String: (calls: UInt64, errors: UInt64)] = [:]
        for worker in workers {
            merge.add(worker.metrics)
            for script in worker.scripts {
                for handler in script.handlers {
                    let labels = "handler=\"\(handler.name)\",script=\"\(MetricsText.escaped(script.name))\""
                    counts[labels, default: (0, 0)].calls += handler.calls
                    counts[labels, default: (0, 0)].errors += handler.errors
                }
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
        let metrics = merge.sorted
        page.add("perigee_metric_series", .gauge, "Series that scripts measure.", metrics.count)
        page.add("perigee_metric_conflicts", .gauge, "Series that workers measure as different kinds.", merge.conflicts)
        page.add(
            "perigee_metric_values_refused_total", .counter, "Values of scripts that found too many series.",
            workers.reduce(0) { $0 + $1.metricsRefused })
        page.add(metrics)
    }

    // MARK: Readiness

    /// 503 while the server drains or has no scripts yet. What is only degraded stays 200, or one bad script would take
    /// every node out of its load balancer at once.
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

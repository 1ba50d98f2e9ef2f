// `GET /metrics` for Prometheus and `GET /readyz` for load balancers: both ask every worker how it is.

import EventLoop
import HTTP1
import JSON
import PubSub
import Scripting
import Settings
import WebSocket

extension AdminServer {
    /// Asks all workers. Who does not answer in time is represented by its last answer, so that no counter ever goes
    /// back; `silent` are those who did not.
    private func measure(then finish: @escaping ([WorkerMeasurements], _ silent: [Int]) -> Void) {
        let ticket = nextTicket()
        node.workers.postToAll(.measure(ticket: ticket))
        gather(ticket, from: node.workers.count) { [unowned self] answers, _ in
            var silent = Set(0..<node.workers.count)
            for entry in answers {
                guard case .measurements(let measurements) = entry.answer else { continue }
                lastMeasurements[Int(entry.worker)] = measurements
                silent.remove(Int(entry.worker))
            }
            finish(Array(lastMeasurements.values), silent.sorted())
        }
    }

    // MARK: Prometheus

    func describeMetrics(_ call: AdminCall) {
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
        page.add("perigee_admin_sockets_accepted_total", .counter, "Sockets accepted for the admin API.", accepted)
        page.add("perigee_admin_connections", .gauge, "Open connections to the admin API.", connections)
        page.add(
            "perigee_admin_requests_timed_out_total", .counter, "Requests to the admin API answered 408.",
            requestsTimedOut)
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
    func describeReadiness(_ call: AdminCall) {
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

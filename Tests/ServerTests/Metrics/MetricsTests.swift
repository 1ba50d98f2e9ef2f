import JSON
import PerigeeTestKit
import Scripting
import Settings
import Testing
import WebSocket

@testable import Admin
@testable import Gateway
@testable import Server

@Suite("Metrics", .bounded)
struct MetricsTests {
    private static let script = #"""
        function onOpen(conn) conn:send(conn.id) end
        function onMessage(conn, message)
            metrics.count("orders_total", 2, {room = 'a "b" \\ \n', ok = true})
            metrics.gauge("depth", tonumber(message))
            metrics.observe("took_seconds", 0.2, {step = "db"})
            conn:send("done")
            if message == "8" then error("no") end
        end
        """#

    private func page(_ server: TestServer) throws -> MetricsPage {
        let answer = try server.ask("GET", "/metrics")
        #expect(answer.status == 200 && answer.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
        return try MetricsPage(answer.text)
    }

    @Test("the page is Prometheus' format, with the scripts' metrics of all workers")
    func scripts() throws {
        try withServer(scripts: ["main.lua": Self.script]) { server in
            let clients = try Client.onBothWorkers(server)
            for client in clients {
                try client.socket.send("7")
                #expect(try client.socket.receiveText() == "done")
            }
            let last = try #require(clients.last)
            try last.socket.send("8")
            #expect(try last.socket.receiveText() == "done")
            try last.socket.send("9")
            #expect(try last.socket.receiveText() == "done")
            let page = try page(server)
            let calls = Double(clients.count + 2)
            let labels = ["room": "a \"b\" \\ \n", "ok": "true"]
            #expect(page.types["orders_total"] == "counter" && page.value("orders_total", labels) == 2 * calls)
            #expect(page.types["depth"] == "gauge" && page.value("depth") == 9)
            #expect(page.types["took_seconds"] == "histogram")
            #expect(page.value("took_seconds_count", ["step": "db"]) == calls)
            #expect(page.value("took_seconds_bucket", ["step": "db", "le": "0.1"]) == 0)
            #expect(page.value("took_seconds_bucket", ["step": "db", "le": "0.25"]) == calls)
            #expect(page.value("perigee_handler_calls_total", ["script": "main", "handler": "onMessage"]) == calls)
            #expect(page.value("perigee_handler_errors_total", ["script": "main", "handler": "onMessage"]) == 1)
            #expect(page.value("perigee_script_failures_total") == 1)
            #expect(page.value("perigee_connections") == Double(clients.count))
            #expect(page.value("perigee_messages_received_total") == calls)
            #expect(page.value("perigee_messages_sent_total") == calls + Double(clients.count))
            #expect(page.value("perigee_script_version") == 1 && page.value("perigee_workers") == 2)
            #expect(page.value("perigee_metric_series") == 3)
            #expect(page.value("perigee_info", ["version": PerigeeVersion.text, "lua": ScriptEngine.luaVersion]) == 1)
        }
    }

    @Test("every close is counted under its reason")
    func closes() throws {
        try withServer(scripts: ["main.lua": Self.script]) { server in
            let client = try WebSocketClient.connect(port: server.clientPort)
            let id = try client.receiveText()
            #expect(try server.ask("DELETE", "/v1/connections/\(id)").status == 200)
            _ = try? client.receive()
            let page = try page(server)
            let reason = ["reason": "closed_by_operator"]
            #expect(page.value("perigee_connections_closed_total", reason) == 1)
        }
    }

    @Test("the backlog is there by its sources, with its age in seconds")
    func backlog() throws {
        var statistics = WorkerStatistics()
        statistics.closes = Array(repeating: 0, count: CloseReason.allCases.count)
        statistics.backlog = BacklogCounts(
            connections: 1, timers: 2, spawned: 3, waits: 4, questions: 5, age: 6_500)
        var text = MetricsText()
        text.add(WorkerStatistics.counters, of: statistics)
        let page = try MetricsPage(text.text)
        let sources = ["connections", "timers", "spawned", "waits", "questions"]
        #expect(sources.map { page.value("perigee_backlog_events", ["source": $0]) } == [1, 2, 3, 4, 5])
        #expect(page.types["perigee_backlog_events"] == "gauge")
        #expect(page.value("perigee_backlog_age_seconds") == 6.5)
    }

    @Test("over the limit of series values are dropped and counted")
    func limit() throws {
        let script = "function onOpen(conn) for i = 1, 5 do metrics.count('a', 1, {i = i}) end conn:send('done') end"
        try withServer(
            scripts: ["main.lua": script],
            configure: {
                $0.scripts.metricSeries = 2; $0.workers = 1
            }
        ) { server in
            let client = try WebSocketClient.connect(port: server.clientPort)
            #expect(try client.receiveText() == "done")
            let page = try page(server)
            #expect(page.value("perigee_metric_series") == 2)
            #expect(page.value("perigee_metric_values_refused_total") == 3)
        }
    }

    @Test("a key needs the scope 'read'")
    func scope() throws {
        let keys = [AdminKey(name: "push", key: "0123456789abcdef", scopes: [.publish])]
        try withServer(scripts: ["main.lua": ""], configure: { $0.admin.keys = keys }) { server in
            let unknown = try server.ask("GET", "/metrics")
            #expect(unknown.status == 401)
            #expect(try server.ask("GET", "/metrics", headers: [("X-API-Key", "0123456789abcdef")]).status == 403)
        }
    }

    /// Its last figures stay.
    @Test("a silent worker is counted as such")
    func silent() throws {
        let script = """
            function onOpen(conn) conn:send(conn.id) end
            function onMessage(conn, message)
                metrics.count("messages_total")
                conn:send("done")
                local id = message:match("block (.*)")
                if id then server.send(id, "blocked") while not kv.get("free") do end conn:send("free") end
                if message == "free" then kv.set("free", true) end
            end
            function onClose(conn) kv.set("free", true) end
            """
        try withServer(scripts: ["main.lua": script]) { server in
            let clients = try Client.onBothWorkers(server)
            let stuck = clients[0]
            let free = try #require(clients.first { $0.worker != stuck.worker })
            try stuck.socket.send("a")
            #expect(try stuck.socket.receiveText() == "done")
            #expect(try page(server).value("messages_total") == 1)
            try stuck.socket.send("block \(free.id)")
            #expect(try free.socket.receiveText() == "blocked")
            let blocked = try page(server)
            #expect(blocked.value("perigee_workers_silent") == 1 && blocked.value("messages_total") == 1)
            #expect(blocked.value("perigee_connections") == Double(clients.count))
            let ready = try server.ask("GET", "/readyz")
            #expect(ready.status == 200)
            let state = try ready.json()
            #expect(state["status"] == "degraded")
            #expect(ready.text.contains("worker \(stuck.worker) does not answer"))
            try free.socket.send("free")
            #expect(try stuck.socket.receiveText() == "done")
            #expect(try stuck.socket.receiveText() == "free")
            #expect(try page(server).value("messages_total") == 3)
        }
    }

    /// The last gauge counts.
    @Test("counters and histograms of workers are summed")
    func merging() throws {
        var merge = MetricsMerge()
        let buckets = [UInt64](repeating: 1, count: 16)
        merge.add([
            ScriptMetric(name: "c", labels: #"a="1""#, value: .counter(1)),
            ScriptMetric(name: "g", value: .gauge(5, setAt: 10)),
            ScriptMetric(name: "h", value: .histogram(sum: 1, buckets: buckets)),
        ])
        merge.add([
            ScriptMetric(name: "c", labels: #"a="1""#, value: .counter(2)), ScriptMetric(name: "c", value: .counter(7)),
            ScriptMetric(name: "g", value: .gauge(3, setAt: 9)),
            ScriptMetric(name: "h", value: .histogram(sum: 2, buckets: buckets)),
        ])
        #expect(
            merge.sorted == [
                ScriptMetric(name: "c", value: .counter(7)),
                ScriptMetric(name: "c", labels: #"a="1""#, value: .counter(3)),
                ScriptMetric(name: "g", value: .gauge(5, setAt: 10)),
                ScriptMetric(name: "h", value: .histogram(sum: 3, buckets: buckets.map { $0 * 2 })),
            ])
        #expect(merge.conflicts == 0)
    }

    @Test("a series that workers measure as different kinds is left out and counted")
    func conflicts() throws {
        var merge = MetricsMerge()
        merge.add([ScriptMetric(name: "a", value: .counter(1)), ScriptMetric(name: "b_sum", value: .counter(1))])
        merge.add([
            ScriptMetric(name: "a", value: .gauge(1, setAt: 1)),
            ScriptMetric(name: "b", value: .histogram(sum: 1, buckets: [UInt64](repeating: 0, count: 16))),
        ])
        #expect(merge.sorted.map(\.name) == ["a", "b_sum"] && merge.conflicts == 2)
        var text = MetricsText()
        text.add(merge.sorted)
        _ = try MetricsPage(text.text)
    }

    @Test(
        "numbers are written as the format wants them",
        arguments: [(0, "0"), (3, "3"), (-2.5, "-2.5"), (0.001, "0.001"), (.infinity, "+Inf"), (1e300, "1e+300")])
    func numbers(value: Double, text: String) {
        #expect(MetricsText.number(value) == text)
    }
}

import Testing

@testable import Scripting

@Suite("metrics", .bounded)
struct MetricsTests {
    private func measured(_ body: String, series: Int = 1_000) throws -> [ScriptMetric] {
        let stage = try Stage(options: ScriptOptions(metricSeries: series))
        _ = try stage.run(body)
        return stage.engine.metrics
    }

    @Test("a counter adds, a gauge keeps the last value, a histogram has buckets")
    func kinds() throws {
        let metrics = try measured(
            """
            metrics.count("hits") metrics.count("hits", 2.5) metrics.count("hits", 0)
            metrics.gauge("depth", 7) metrics.gauge("depth", -1)
            for _, s in ipairs{0, 0.001, 0.0011, 60, 61} do metrics.observe("took", s) end
            """)
        try #require(metrics.map(\.name) == ["hits", "depth", "took"])
        #expect(metrics[0].value == .counter(3.5))
        guard case .gauge(-1, let setAt) = metrics[1].value else {
            throw ScriptError(file: "", message: "gauge", version: 0)
        }
        #expect(setAt > 0)
        var buckets = [UInt64](repeating: 0, count: 16)
        buckets[0] = 2
        buckets[1] = 1
        buckets[14] = 1
        buckets[15] = 1
        #expect(metrics[2].value == .histogram(sum: 121.0021, buckets: buckets))
        #expect(ScriptMetric.bucketBounds.first == 0.001 && ScriptMetric.bucketBounds.last == .infinity)
    }

    /// An empty one counts as absent.
    @Test("labels in any order are one series")
    func labels() throws {
        let metrics = try measured(
            #"""
            metrics.count("a", 1, {room = "x", kind = 3, ok = true}) metrics.count("a", 1, {ok = "true", kind = "3", room = "x"})
            metrics.count("a", 1, {room = 'say "hi"\\\n', none = ""}) metrics.count("a") metrics.count("a", 1, {none = ""})
            """#)
        #expect(
            metrics == [
                ScriptMetric(name: "a", labels: #"kind="3",ok="true",room="x""#, value: .counter(2)),
                ScriptMetric(name: "a", labels: #"room="say \"hi\"\\\n""#, value: .counter(1)),
                ScriptMetric(name: "a", value: .counter(2)),
            ])
    }

    @Test("beyond the limit new series are dropped and counted, old ones go on")
    func limit() throws {
        let stage = try Stage(options: ScriptOptions(metricSeries: 3))
        let shown = try stage.run(
            """
            for i = 1, 5 do show(metrics.count("a", 1, {i = i})) end show(metrics.count("a", 1, {i = 1}))
            show(metrics.observe("b", 1))
            """)
        #expect(
            shown == [
                "true", "true", "true", "false too many series", "false too many series", "true",
                "false too many series",
            ])
        #expect(stage.engine.metrics.map(\.value) == [.counter(2), .counter(1), .counter(1)])
        #expect(stage.engine.metricsRefused == 3)
    }

    @Test("a limit of 0 takes nothing")
    func none() throws {
        let stage = try Stage(options: ScriptOptions(metricSeries: 0))
        #expect(try stage.run("show(metrics.gauge('a', 1))") == ["false too many series"])
        #expect(stage.engine.metrics.isEmpty)
    }

    @Test("ten thousand series are all found again")
    func many() throws {
        let metrics = try measured(
            """
            for round = 1, 2 do for i = 1, 10000 do metrics.count("n" .. i % 7, i, {i = i}) end end
            """, series: 10_000)
        #expect(metrics.count == 10_000)
        for metric in metrics {
            let number = metric.labels.dropFirst(3).dropLast()
            #expect(metric.value == .counter(2 * Double(number)!))
        }
    }

    @Test("measurements survive a reload")
    func reload() throws {
        let stage = try Stage()
        _ = try stage.run("metrics.count('a')")
        _ = try stage.run("metrics.count('a')")
        #expect(stage.engine.metrics == [ScriptMetric(name: "a", value: .counter(2))])
    }

    @Test(
        "mistakes raise and name the function",
        arguments: [
            ("metrics.count()", "metrics.count: the name must be a string, not nil"),
            (
                "metrics.count('a-b')",
                "metrics.count: 'a-b' is not a metric's name: letters, digits, '_' and ':', at most 128, no digit first"
            ),
            ("metrics.gauge('perigee_x', 1)", "metrics.gauge: names that begin with 'perigee_' are the server's own"),
            ("metrics.count('a', -1)", "metrics.count: a counter only goes up; take metrics.gauge"),
            ("metrics.count('a', {})", "metrics.count: expected a number, not table"),
            ("metrics.gauge('a')", "metrics.gauge: expected a number, not nil"),
            ("metrics.observe('a', 1/0)", "metrics.observe: the number must be finite"),
            ("metrics.count('a', 1, 'x')", "metrics.count: labels must be a table, not string"),
            ("metrics.count('a', 1, {le = '1'})", "metrics.count: 'le' is not a label's name"),
            ("metrics.count('a', 1, {__x = '1'})", "metrics.count: '__x' is not a label's name"),
            ("metrics.count('a', 1, {'x'})", "metrics.count: '' is not a label's name"),
            ("metrics.count('a', 1, {x = {}})", "metrics.count: the label 'x' must be a string, not table"),
            ("metrics.count('a', 1, {x = '\\xff'})", "metrics.count: the label 'x' must be UTF-8 of at most 128 bytes"),
            (
                "metrics.count('a', 1, {a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1,i=1})", "metrics.count: more than 8 labels"
            ),
            (
                "metrics.count('a') metrics.gauge('a', 1)",
                "metrics.gauge: the name 'a' is used for another kind of metric"
            ),
            (
                "metrics.count('a_sum') metrics.observe('a', 1)",
                "metrics.observe: the name 'a' is used for another kind of metric"
            ),
            (
                "metrics.observe('a', 1) metrics.count('a_bucket')",
                "metrics.count: the name 'a_bucket' is used for another kind of metric"
            ),
        ])
    func mistakes(call: String, message: String) throws {
        #expect(try Stage().failure(call).message == message)
    }

    @Test("nothing is measured while a script loads")
    func loading() throws {
        let problems = try Stage().prepare(["main": "metrics.count('a')"]).errors
        #expect(problems.first?.message == "metrics.count cannot be called while a script loads; do it in onStart")
    }

    @Test("the longest name, labels and values have room")
    func longest() throws {
        let metrics = try measured(
            """
            local labels = {}
            for i = 1, 8 do labels[("l"):rep(63) .. i] = ('"'):rep(128) end
            metrics.observe(("n"):rep(128), 1, labels)
            """)
        #expect(metrics.first?.labels.utf8.count == 2_591)
    }
}

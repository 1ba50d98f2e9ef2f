// The tables of counters, and the texts made from them.

import Foundation
import JSON
import PerigeeTestKit
import Testing

@testable import Admin
@testable import Gateway
@testable import Server

@Suite("Metrics: the tables of counters", .bounded)
struct CounterTests {
    /// The parts of a row that the tests read, for rows of all figures.
    private struct Row {
        let json: [String]
        let metric: String
        let labels: [String: String]
        let kind: String

        init<Figures>(_ counter: Counter<Figures>) {
            json = counter.json.split(separator: ".").map(String.init)
            metric = counter.metric
            labels = counter.label.map { [$0.name: $0.value] } ?? [:]
            kind = "\(counter.kind)"
        }
    }

    private static let rows = NodeFigures.counters.map { Row($0) } + WorkerStatistics.counters.map { Row($0) }

    @Test("every row shows in GET /v1/node and in /metrics, once")
    func outputs() throws {
        try withServer(scripts: ["main.lua": ""]) { server in
            let node = try server.ask("GET", "/v1/node").json()
            let page = try MetricsPage(server.ask("GET", "/metrics").text)
            for row in Self.rows {
                let value = row.json.reduce(node as JSON?) { $0?[$1] }
                #expect(value != nil, "\(row.json)")
                #expect(page.value(row.metric, row.labels) != nil, "\(row.metric) \(row.labels)")
                #expect(page.types[row.metric] == row.kind)
                #expect((row.kind == "counter") == row.metric.hasSuffix("_total"), "\(row.metric)")
            }
            for record in WorkerStatistics.pauses { #expect(node[record.json]?["count"] == 0) }
            #expect(Set(Self.rows.map(\.json)).count == Self.rows.count)
            #expect(Set(Self.rows.map { "\($0.metric) \($0.labels)" }).count == Self.rows.count && Self.rows.count > 80)
        }
    }

    @Test("every field of a worker's statistics has a row")
    func fields() {
        func leaves(_ value: Any) -> Int {
            let children = Mirror(reflecting: value).children
            if value is PauseRecord { return 0 }
            return children.isEmpty ? 1 : children.reduce(0) { $0 + leaves($1.value) }
        }
        #expect(leaves(WorkerStatistics()) == WorkerStatistics.counters.count)
    }

    @Test("figures of several workers are summed and of ages the largest counts")
    func sum() {
        var one = WorkerStatistics()
        one.connections = 3
        one.closes[2] = 5
        one.backlog.timers = 7
        one.backlog.age = 40
        one.reloadPauses.add(microseconds: 10)
        var other = WorkerStatistics()
        other.connections = 4
        other.closes[2] = 6
        other.backlog.timers = 1
        other.backlog.age = 30
        other.reloadPauses.add(microseconds: 20)
        one += other
        #expect(one.connections == 7 && one.closes[2] == 11 && one.closes[3] == 0)
        #expect(one.backlog.timers == 8 && one.backlog.age == 40)
        #expect(one.reloadPauses.count == 2 && one.reloadPauses.longest == 20)
    }

    @Test("the documentation lists every counter (PERIGEETEST_WRITE=1 writes it)")
    func documentation() throws {
        let root = #filePath.dropLast("/Tests/ServerTests/Metrics/CounterTests.swift".count)
        let path = "\(root)/Sources/perigee/Documentation.docc/Counters.md"
        if ProcessInfo.processInfo.environment["PERIGEETEST_WRITE"] != nil {
            try CounterDocumentation.text.write(toFile: path, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == CounterDocumentation.text)
    }
}

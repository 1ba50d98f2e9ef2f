// The outputs of a table of counters: members of a JSON object, families of a metrics page, and lines of the documentation.
//
// Read next: Gateway/Statistics/Counter.swift.

import Gateway
import JSON

extension JSONOutput.Members {
    /// Adds every counter. Counters whose names begin alike, up to a dot, become one object.
    mutating func add<Figures>(_ counters: [Counter<Figures>], of figures: Figures) {
        var groups: [(name: String, members: [(name: String, counter: Counter<Figures>)])] = []
        for counter in counters {
            let parts = counter.json.split(separator: ".", maxSplits: 1).map(String.init)
            guard parts.count == 2 else {
                add(counter, as: counter.json, of: figures)
                continue
            }
            let place = groups.firstIndex { $0.name == parts[0] } ?? groups.count
            if place == groups.count { groups.append((parts[0], [])) }
            groups[place].members.append((parts[1], counter))
        }
        for group in groups {
            member(group.name) { members in
                for (name, counter) in group.members { members.add(counter, as: name, of: figures) }
            }
        }
    }

    private mutating func add<Figures>(_ counter: Counter<Figures>, as name: String, of figures: Figures) {
        let value = counter.value(figures)
        if counter.isFlag { add(name, value != 0) } else { add(name, value) }
    }

    /// Adds a record of pauses.
    mutating func add(_ name: String, _ record: PauseRecord) {
        member(name) { members in
            members.add("count", record.count)
            members.add("p50Microseconds", UInt64(record.quantile(0.5)))
            members.add("p99Microseconds", UInt64(record.quantile(0.99)))
            members.add("maxMicroseconds", UInt64(record.longest))
            members.add("p99WorkMicroseconds", UInt64(record.workQuantile(0.99)))
            members.add("maxWorkMicroseconds", UInt64(record.workQuantile(1)))
        }
    }
}

extension MetricsText {
    /// Adds every counter; those of one metric are beside each other in the table, and become one family.
    mutating func add<Figures>(_ counters: [Counter<Figures>], of figures: Figures) {
        var last: String?
        for counter in counters {
            if counter.metric != last { family(counter.metric, Kind(counter.kind), counter.help) }
            last = counter.metric
            let labels = counter.label.map { "\($0.name)=\"\(Self.escaped($0.value))\"" } ?? ""
            sample(counter.metric, labels: labels, Double(counter.value(figures)) / Double(counter.perUnit))
        }
    }
}

extension MetricsText.Kind {
    fileprivate init<Figures>(_ kind: Counter<Figures>.Kind) {
        switch kind {
        case .counter: self = .counter
        case .gauge: self = .gauge
        }
    }
}

/// The page of the documentation that lists every counter.
enum CounterDocumentation {
    static var text: String {
        """
        # Counters

        The counters and gauges of `GET /v1/node` and `/metrics`. The table is made from the tables in `NodeFigures.swift` and `WorkerStatistics.swift`.

        | `GET /v1/node` | `/metrics` | kind | meaning |
        |---|---|---|---|

        """ + (rows(NodeFigures.counters) + rows(WorkerStatistics.counters)).joined(separator: "\n") + "\n"
    }

    private static func rows<Figures>(_ counters: [Counter<Figures>]) -> [String] {
        counters.map { counter in
            let label = counter.label.map { "{\($0.name)=\"\($0.value)\"}" } ?? ""
            return "| `\(counter.json)` | `\(counter.metric)\(label)` | \(counter.kind) | \(counter.help) |"
        }
    }
}

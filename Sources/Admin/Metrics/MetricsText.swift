// The text format of Prometheus, 0.0.4: families of samples, each family under its own `# TYPE` line.

import Scripting

/// A metrics page under construction.
struct MetricsText {
    enum Kind: String {
        case counter
        case gauge
        case histogram
    }

    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text = ""

    /// Begins a family. Every sample until the next one is of it.
    mutating func family(_ name: String, _ kind: Kind, _ help: String? = nil) {
        if let help { text += "# HELP \(name) \(help)\n" }
        text += "# TYPE \(name) \(kind.rawValue)\n"
    }

    /// Adds one line. `labels` are escaped already.
    mutating func sample(_ name: String, labels: String = "", _ value: Double) {
        text += labels.isEmpty ? name : "\(name){\(labels)}"
        text += " \(Self.number(value))\n"
    }

    /// Adds a family of one sample.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        family(name, kind, help)
        sample(name, value)
    }

    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Int) {
        add(name, kind, help, Double(value))
    }

    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: UInt64) {
        add(name, kind, help, Double(value))
    }

    /// Adds the measurements of scripts: one family for each name.
    mutating func add(_ metrics: [ScriptMetric]) {
        var last: String?
        for metric in metrics {
            if metric.name != last { family(metric.name, Kind(metric.value)) }
            last = metric.name
            switch metric.value {
            case .counter(let value), .gauge(let value, _):
                sample(metric.name, labels: metric.labels, value)
            case .histogram(let sum, let buckets):
                add(metric, sum, buckets)
            }
        }
    }

    private mutating func add(_ metric: ScriptMetric, _ sum: Double, _ buckets: [UInt64]) {
        let others = metric.labels.isEmpty ? "" : metric.labels + ","
        var total: UInt64 = 0
        for (bound, count) in zip(ScriptMetric.bucketBounds, buckets) {
            total += count
            sample("\(metric.name)_bucket", labels: "\(others)le=\"\(Self.number(bound))\"", Double(total))
        }
        sample("\(metric.name)_sum", labels: metric.labels, sum)
        sample("\(metric.name)_count", labels: metric.labels, Double(total))
    }

    /// A label's value, escaped as the format wants.
    static func escaped(_ value: String) -> String {
        var result = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }

    static func number(_ value: Double) -> String {
        if let whole = Int64(exactly: value) { return String(whole) }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value.isNaN ? "NaN" : "\(value)"
    }
}

extension MetricsText.Kind {
    init(_ value: ScriptMetric.Value) {
        self =
            switch value {
            case .counter: .counter
            case .gauge: .gauge
            case .histogram: .histogram
            }
    }
}

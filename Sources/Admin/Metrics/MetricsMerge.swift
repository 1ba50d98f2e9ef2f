// The measurements of all workers' scripts as one list: counters and histograms are added up, and of a gauge the value that was set
// last counts.
//
// Read next: MetricsText.swift.

import Scripting

/// Sums up the measurements of several workers.
struct MetricsMerge {
    private struct Key: Hashable {
        let name: String
        let labels: String
    }

    private var metrics: [Key: ScriptMetric] = [:]
    private var kinds: [String: MetricsText.Kind] = [:]

    /// Series whose name another worker uses for another kind of metric; they are left out.
    private(set) var conflicts = 0

    mutating func add(_ more: [ScriptMetric]) {
        for metric in more { add(metric) }
    }

    /// All series, sorted by name and labels.
    var sorted: [ScriptMetric] {
        metrics.values.sorted { ($0.name, $0.labels) < ($1.name, $1.labels) }
    }

    private mutating func add(_ metric: ScriptMetric) {
        let kind = MetricsText.Kind(metric.value)
        guard isFree(metric.name, for: kind) else {
            conflicts += 1
            return
        }
        kinds[metric.name] = kind
        let key = Key(name: metric.name, labels: metric.labels)
        metrics[key] = metrics[key].map { Self.sum($0, metric) } ?? metric
    }

    /// No family has two kinds, and none is called like the lines of a histogram.
    private func isFree(_ name: String, for kind: MetricsText.Kind) -> Bool {
        if let known = kinds[name] { return known == kind }
        let endings = ["_bucket", "_sum", "_count"]
        if kind == .histogram, endings.contains(where: { kinds[name + $0] != nil }) { return false }
        return !endings.contains { name.hasSuffix($0) && kinds[String(name.dropLast($0.count))] == .histogram }
    }

    private static func sum(_ left: ScriptMetric, _ right: ScriptMetric) -> ScriptMetric {
        var sum = left
        switch (left.value, right.value) {
        case (.counter(let a), .counter(let b)):
            sum.value = .counter(a + b)
        case (.gauge(_, let before), .gauge(_, let after)):
            sum.value = after > before ? right.value : left.value
        case (.histogram(let a, let ones), .histogram(let b, let others)):
            sum.value = .histogram(sum: a + b, buckets: zip(ones, others).map { $0 + $1 })
        case (.counter, _), (.gauge, _), (.histogram, _):
            break
        }
        return sum
    }
}

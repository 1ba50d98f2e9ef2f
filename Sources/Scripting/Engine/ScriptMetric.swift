// One series of the scripts' `metrics`.

import LuaBridge

/// A series: a metric's name, its labels, and the measured value.
public struct ScriptMetric: Sendable, Equatable {
    /// The measured value.
    public enum Value: Sendable, Equatable {
        /// A sum that only grows.
        case counter(Double)
        /// The value that was set last, and its time in seconds of a clock that all workers share.
        case gauge(Double, setAt: Double)
        /// The sum of the observed values, and the number of observations in each bucket; see ``bucketBounds``.
        case histogram(sum: Double, buckets: [UInt64])
    }

    /// The metric's name.
    public var name: String
    /// The labels as `a="1",b="2"`: in order, and escaped as Prometheus' text format wants; empty for none.
    public var labels: String
    public var value: Value

    /// Makes a series.
    public init(name: String, labels: String = "", value: Value) {
        self.name = name
        self.labels = labels
        self.value = value
    }

    /// The upper bound of each bucket of a histogram; the last one is infinite.
    public static let bucketBounds: [Double] = (0..<Int32(bridgeBucketCount)).map { bridgeBucketBound($0) }

    init(_ metric: BridgeMetric) {
        name = String(decoding: metric.name.buffer, as: UTF8.self)
        labels = String(decoding: metric.labels.buffer, as: UTF8.self)
        value =
            switch metric.kind {
            case .counter:
                .counter(metric.value)
            case .gauge:
                .gauge(metric.value, setAt: metric.setAt)
            case .histogram:
                .histogram(
                    sum: metric.value,
                    buckets: Array(UnsafeBufferPointer(start: metric.buckets, count: Int(bridgeBucketCount))))
            }
    }
}

// What the scripts of one worker have measured.

import LuaBridge

extension ScriptEngine {
    /// All series, in the order in which they came into being.
    public var metrics: [ScriptMetric] {
        (0..<bridgeMetricCount(bridge)).map { index in
            var metric = BridgeMetric()
            bridgeMetricAt(bridge, index, &metric)
            return ScriptMetric(metric)
        }
    }

    /// How many values were dropped because there were too many series.
    public var metricsRefused: UInt64 {
        bridgeMetricsRefused(bridge)
    }
}
